"""Plain Spark SQL: one statement a table over all hours, on the same Spark settings."""

from __future__ import annotations

from benchmarks.backfill.contestants import nothing_to_fetch, this_python
from benchmarks.backfill.work import NAMESPACE, Place, Target, Work
from pipeline.cells import Cell
from pipeline.settings import load_settings
from pipeline.spark.jars import spark_jars
from pipeline.spark.session import own_session, start_session
from pipeline.spark.tables import table_name

TITLE = "Spark SQL, one job a table"
AUDITED = "nothing"
FAILING = "nothing fails"
ONE_FILE_AT_A_TIME = "TBLPROPERTIES ('write.spark.fanout.enabled' = 'false')"
"""Rows are sorted by hour: by Iceberg's default a task holds a file of every hour open, and at 7,000 hours
runs out of 4 GB."""
ready, python = nothing_to_fetch, this_python


class _Runner:
    def __init__(self, work: Work) -> None:
        self._work = work
        cell = work.live.cell()
        self._spark = start_session(cell, spark_jars(load_settings().cache, cell))

    def run(self, place: Place) -> None:
        cell = place.cell()
        session = own_session(self._spark, cell)
        session.sql(f"CREATE NAMESPACE IF NOT EXISTS `{cell.name}`.{NAMESPACE}")
        events = table_name(cell, self._work.events)
        for target in self._work.targets:
            query = target.query.format(events=events)
            made = table_name(cell, f"{NAMESPACE}.{target.name}")
            session.sql(
                f"CREATE TABLE {made} USING iceberg PARTITIONED BY (hours(hour)) "
                f"{ONE_FILE_AT_A_TIME} AS {query}"
            )

    def close(self) -> None:
        self._spark.stop()


def start(work: Work) -> _Runner:
    """Start Spark."""
    return _Runner(work)


def table(cell: Cell, product: str, target: Target) -> str:  # noqa: ARG001 - it is in any cell
    """Return its table."""
    return f"{NAMESPACE}.{target.name}"
