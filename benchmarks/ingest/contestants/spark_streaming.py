"""Spark Structured Streaming into Iceberg: all that there is, in micro-batches.

Tuned as Spark's and Iceberg's docs advise: large micro-batches and fetches, fan-out writers without a
shuffle before them, a heap that need not be collected all the time.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from benchmarks.ingest.contestants import JARS, Guarantees, this_python
from benchmarks.ingest.work import TABLE, Topic, Work

TITLE = "Spark Structured Streaming"
VARIANTS = {"": ""}
SHARE = 1.0
OFFSETS_PER_TRIGGER = 1_000_000
HEAP = "4g"
JSON = (
    "id STRING, account STRING, at TIMESTAMP, device STRING, amount INT, score DOUBLE, note STRING"
)
"""Columns of the plain events."""
python = this_python


def guarantees(variant: str) -> Guarantees:  # noqa: ARG001 - it has one
    """Exactly once for as long as the checkpoint is kept."""
    return Guarantees(
        exactly_once="checkpoint of offsets, and the batch's number in the Iceberg commit",
        duplicates="kept (dropping them within a watermark is an option)",
        bad_records="the query fails, or they become nulls",
        ledger="offsets in the checkpoint",
    )


def ready(say: Callable[[str], None]) -> str:
    """Fetch the jars."""
    from headwater.stack.jars import ensure_jars
    from pipeline.settings import load_settings

    ensure_jars(load_settings().cache, "spark", say)
    ensure_jars(load_settings().cache, "spark-peer", say, JARS)
    return ""


def files(work: Work) -> tuple[list[str], str]:
    """Return the peers' table's."""
    from benchmarks.exactly_once import data_files

    return data_files(work.own_cell(), TABLE), "id"


def start(work: Work) -> _Runner:
    """Start the session."""
    from pyspark.sql import SparkSession

    from pipeline.jars import installed_jars
    from pipeline.settings import load_settings
    from pipeline.spark.session import session_config

    cell, cache = work.own_cell(), load_settings().cache
    jars = [*installed_jars(cache, "spark"), *installed_jars(cache, "spark-peer", JARS)]
    config = session_config(cell, jars) | {"spark.driver.memory": HEAP}
    builder = SparkSession.builder
    for key, value in config.items():
        builder = builder.config(key, value)
    return _Runner(builder.getOrCreate(), cell, work)


class _Runner:
    def __init__(self, spark: Any, cell: Any, work: Work) -> None:
        self._spark, self._cell, self._work = spark, cell, work

    def run(self, topic: Topic, table: str) -> None:
        name = f"{self._cell.name}.{table}"
        self._spark.sql(f"ALTER TABLE {name} SET TBLPROPERTIES ('write.distribution-mode'='none')")
        records = (
            self._spark.readStream.format("kafka")
            .option("kafka.bootstrap.servers", self._cell.bootstrap_servers)
            .option("kafka.isolation.level", "read_committed")
            .option("kafka.max.partition.fetch.bytes", 16_000_000)
            .option("kafka.fetch.max.bytes", 64_000_000)
            .option("kafka.max.poll.records", 10_000)
            .option("subscribe", topic.name)
            .option("startingOffsets", "earliest")
            .option("maxOffsetsPerTrigger", OFFSETS_PER_TRIGGER)
            .load()
        )
        rows = records.select(self._event().alias("e")).select("e.*")
        query = (
            rows.writeStream.format("iceberg")
            .outputMode("append")
            .trigger(availableNow=True)
            .option("checkpointLocation", str(self._cell.root / "checkpoints" / table))
            .option("fanout-enabled", "true")
            .toTable(name)
        )
        query.awaitTermination()

    def _event(self) -> Any:
        from pyspark.sql.avro.functions import from_avro
        from pyspark.sql.functions import expr, from_json

        if self._work.format == "json":
            return from_json(expr("CAST(value AS STRING)"), JSON)
        return from_avro(expr("substring(value, 6)"), json.dumps(dict(self._work.payload)))

    def close(self) -> None:
        self._spark.stop()
