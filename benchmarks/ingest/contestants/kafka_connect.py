"""Iceberg's own sink for Kafka Connect: one worker, a task for every core, standalone.

Tuned as its docs and Kafka's advise: large fetches and polls, read-committed, a commit every 5 s (its
default is 5 min, which nobody who waits for data would keep). Values are read by a converter of ours,
since Confluent's is not in Maven Central: it does less than that one.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.ingest.contestants import JARS, Guarantees, this_python
from benchmarks.ingest.work import TABLE, Topic, Work

if TYPE_CHECKING:
    from pipeline.cells import Cell

TITLE = "Iceberg Kafka Connect"
VARIANTS = {"": ""}
SHARE = 1.0
TASKS = os.cpu_count() or 1
COMMIT_MS = 5_000
MAIN = "org.apache.kafka.connect.cli.ConnectStandalone"
CONVERTER = Path(__file__).with_name("PlainAvroConverter.java")
_SPARK_S = ("hadoop-client-*", "jcl-over-slf4j*", "log4j-api*", "log4j-core*", "log4j-slf4j2-impl*")
python = this_python


def guarantees(variant: str) -> Guarantees:  # noqa: ARG001 - it has one
    """Exactly once, by offsets in the snapshots and a coordinator."""
    return Guarantees(
        exactly_once="offsets in the Iceberg commit, one coordinator elected among the tasks",
        duplicates="kept",
        bad_records="the task fails, or Connect's dead letter topic",
        ledger="offsets in the snapshots",
    )


def ready(say: Callable[[str], None]) -> str:
    """Fetch the jars; a JDK must be there, to compile the converter."""
    from headwater.stack.jars import ensure_jars
    from pipeline.settings import load_settings

    if shutil.which("javac") is None:
        return "there is no javac to compile its converter with"
    ensure_jars(load_settings().cache, "spark", say)
    ensure_jars(load_settings().cache, "connect", say, JARS)
    return ""


def files(work: Work) -> tuple[list[str], str]:
    """Return the peers' table's."""
    from benchmarks.exactly_once import data_files

    return data_files(work.own_cell(), TABLE), "id"


def start(work: Work) -> _Runner:
    """Start the worker."""
    from headwater.stack.ports import free_port

    cell = work.own_cell()
    port = free_port()
    classes = cell.root / "classes"
    path = _class_path()
    subprocess.run(["javac", "-cp", path, "-d", str(classes), str(CONVERTER)], check=True)
    properties = cell.root / "worker.properties"
    properties.write_text("\n".join(f"{k}={v}" for k, v in _worker(cell, port).items()))
    process = subprocess.Popen(
        ["java", "-Xmx2g", "-cp", f"{classes}:{path}", MAIN, str(properties)]
    )
    return _Runner(cell, work.payload, port, process)


class _Runner:
    def __init__(self, cell: Cell, payload: Any, port: int, process: subprocess.Popen[Any]) -> None:
        self._cell, self._payload, self._process = cell, payload, process
        self._url = f"http://127.0.0.1:{port}"
        self._await(lambda: self._answers("/connectors"), 60)

    def run(self, topic: Topic, table: str) -> None:
        from pipeline.tables.catalog import load_table

        def done() -> bool:
            snapshot = load_table(self._cell, table).current_snapshot()
            said = snapshot.summary if snapshot else None
            return said is not None and int(said["total-records"] or 0) >= topic.events

        # Its name is its consumer group's, which must not be an earlier run's.
        name = f"{table.replace('.', '-')}-{int(time.time() * 1000)}"
        control = f"control-{name}"
        _make_topic(self._cell, control)
        config = _connector(self._cell, topic, table, self._payload, control)
        self._request("PUT", f"/connectors/{name}/config", config)
        self._await(done, 120)
        # What it goes on to do must not be in the way of the next.
        if not table.endswith("events"):
            self._request("DELETE", f"/connectors/{name}")

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def _await(self, done: Callable[[], bool], seconds: float) -> None:
        until = time.monotonic() + seconds
        while not done():
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"not done after {seconds} s, or ended")
            time.sleep(0.2)

    def _answers(self, path: str) -> bool:
        try:
            self._request("GET", path)
        except (urllib.error.URLError, OSError):
            return False
        return True

    def _request(self, method: str, path: str, body: Any = None) -> None:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 - our own worker
            self._url + path, data, {"Content-Type": "application/json"}, method=method
        )
        with urllib.request.urlopen(request, timeout=30):  # noqa: S310
            pass


def _class_path() -> str:
    import pyspark

    from pipeline.jars import installed_jars
    from pipeline.settings import load_settings

    cache = load_settings().cache
    drivers = [jar for jar in installed_jars(cache, "spark") if jar.name.startswith("sqlite")]
    bundled = Path(pyspark.__file__).parent / "jars"
    others = [jar for pattern in _SPARK_S for jar in sorted(bundled.glob(pattern))]
    jars = [*installed_jars(cache, "connect", JARS), *drivers, *others]
    return ":".join(str(jar) for jar in jars)


def _worker(cell: Cell, port: int) -> Mapping[str, str]:
    return {
        "bootstrap.servers": cell.bootstrap_servers,
        "listeners": f"http://127.0.0.1:{port}",
        "key.converter": "org.apache.kafka.connect.converters.ByteArrayConverter",
        "value.converter": "org.apache.kafka.connect.converters.ByteArrayConverter",
        "offset.storage.file.filename": str(cell.root / "connect.offsets"),
        # Tasks hear of commits between polls, and a poll of a topic that is at its end waits this long.
        "offset.flush.interval.ms": "1000",
        "consumer.isolation.level": "read_committed",
        "consumer.auto.offset.reset": "earliest",
        "consumer.max.poll.records": "20000",
        "consumer.fetch.min.bytes": "1000000",
        "consumer.fetch.max.wait.ms": "100",
        "consumer.fetch.max.bytes": "64000000",
        "consumer.max.partition.fetch.bytes": "16000000",
    }


def _make_topic(cell: Cell, name: str) -> None:
    from pipeline.kafka.connect import connect_admin

    with connect_admin(cell) as admin:
        admin.create_topics({name: {"num_partitions": 1, "replication_factor": 1}})


def _connector(
    cell: Cell, topic: Topic, table: str, payload: Mapping[str, Any], control: str
) -> Mapping[str, str]:
    from pipeline.spark.session import catalog_config

    prefix = f"spark.sql.catalog.{cell.name}."
    catalog = {
        f"iceberg.catalog.{key.removeprefix(prefix)}": value
        for key, value in catalog_config(cell).items()
        if key.startswith(prefix)
    }
    text = {"type": "string", "avro.java.string": "String"}
    fields = [
        {**field, "type": text} if field["type"] == "string" else field
        for field in payload["fields"]
    ]
    return {
        "connector.class": "org.apache.iceberg.connect.IcebergSinkConnector",
        "tasks.max": str(TASKS),
        "topics": topic.name,
        "value.converter": "PlainAvroConverter",
        "value.converter.schema": json.dumps({**payload, "fields": fields}),
        "iceberg.catalog": cell.name,
        **catalog,
        "iceberg.tables": table,
        "iceberg.control.topic": control,
        "iceberg.control.commit.interval-ms": str(COMMIT_MS),
    }
