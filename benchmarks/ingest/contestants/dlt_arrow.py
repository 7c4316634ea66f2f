"""dlt, given Arrow tables, which is its fastest way in: a consumer, fastavro, and its Iceberg tables.

In an environment of its own, since its pins are not ours. One load a run, as its docs advise for a
backlog; offsets are committed to the consumer group after the load.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.ingest.contestants import Guarantees
from benchmarks.ingest.work import TABLE, Topic, Work
from benchmarks.peers import installed, python_of

TITLE = "dlt"
VARIANTS = {"": ""}
SHARE = 0.2
MESSAGES = 10_000
ROWS = 100_000
LOCK = Path(__file__).with_name("dlt.lock")


def guarantees(variant: str) -> Guarantees:  # noqa: ARG001 - it has one
    """At least once."""
    return Guarantees("", "kept (its merge would drop them, rewriting files)", "it stops", "none")


def ready(say: Callable[[str], None]) -> str:
    """Install it, hashes checked."""
    return installed("dlt", LOCK, say)


def python() -> Path:
    """Return its own interpreter."""
    return python_of("dlt")


def files(work: Work) -> tuple[list[str], str]:
    """Return the data files that its metadata names."""
    from pyiceberg.table import StaticTable

    from benchmarks.exactly_once import local_path

    folder = Path(work.cell["root"]) / "dlt" / "bench" / TABLE.partition(".")[2] / "metadata"
    newest = max(folder.glob("*.metadata.json"), key=lambda path: path.name)
    tasks = StaticTable.from_metadata(str(newest)).scan().plan_files()
    return sorted(local_path(task.file) for task in tasks), "id"


def start(work: Work) -> _Runner:
    """Import what it needs."""
    return _Runner(work)


class _Runner:
    def __init__(self, work: Work) -> None:
        import dlt  # type: ignore[import-not-found]

        self._dlt, self._work = dlt, work
        self._root = Path(work.cell["root"])

    def run(self, topic: Topic, table: str) -> None:
        from confluent_kafka import Consumer, TopicPartition

        dlt, name = self._dlt, table.partition(".")[2]
        consumer = Consumer(
            {
                "bootstrap.servers": self._work.cell["bootstrap_servers"],
                "group.id": f"dlt-{name}",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "fetch.max.bytes": 64_000_000,
                "max.partition.fetch.bytes": 16_000_000,
                "queued.min.messages": 500_000,
                "queued.max.messages.kbytes": 262_144,
            }
        )
        consumer.assign([TopicPartition(topic.name, p, 0) for p in range(topic.partitions)])
        pipeline = dlt.pipeline(
            pipeline_name=f"bench_{name}",
            pipelines_dir=str(self._root / "pipelines"),
            destination=dlt.destinations.filesystem(bucket_url=f"file://{self._root}/dlt"),
            dataset_name="bench",
        )
        events = dlt.resource(
            _batches(consumer, topic.events, dict(self._work.payload)),
            name=name,
            table_format="iceberg",
            write_disposition="append",
        )
        pipeline.run(events)
        consumer.commit(asynchronous=False)
        consumer.close()

    def close(self) -> None:
        pass


def _batches(consumer: Any, events: int, payload: dict[str, Any]) -> Iterator[Any]:
    import fastavro
    import pyarrow as pa
    from confluent_kafka import KafkaException

    parsed = fastavro.parse_schema(payload)
    read = fastavro.schemaless_reader
    rows: list[Any] = []
    taken = 0
    while taken < events:
        for message in consumer.consume(MESSAGES, timeout=0.5):
            if message.error() is not None:
                raise KafkaException(message.error())
            rows.append(read(io.BytesIO(message.value()[5:]), parsed, None))
        if len(rows) >= ROWS or taken + len(rows) >= events:
            taken += len(rows)
            yield pa.Table.from_pylist(rows)
            rows = []
