"""Plain Spark SQL, as a user would write it: one INSERT OVERWRITE a table, on the same Spark settings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from benchmarks.hourly.contestants import TABLES, Guarantees, statement
from benchmarks.hourly.files import files_of_hour
from benchmarks.hourly.prepare import PLAIN, SESSIONS, viewing_product
from pipeline.cells import Cell
from pipeline.contract.references.declared import locate
from pipeline.settings import load_settings
from pipeline.spark.jars import spark_jars
from pipeline.spark.session import own_session, start_session

TITLE = "Spark SQL, INSERT OVERWRITE"
GUARANTEES = Guarantees(
    whole="each table's hour at once (Iceberg), the tables not together",
    audited="nothing",
    late="whoever runs it has to know which hours to run again",
    known="no: the hour is overwritten",
)


class _Runner:
    def __init__(self, cell: Cell, hour: datetime) -> None:
        self._hour = hour
        self._product = viewing_product()
        self._spark = start_session(cell, spark_jars(load_settings().cache, cell))

    def run(self, cell: Cell) -> Mapping[str, Any]:
        session = own_session(self._spark, cell)
        session.conf.set("spark.sql.sources.partitionOverwriteMode", "dynamic")
        for reference in self._product.references:
            path = str(locate(reference.source, self._product.folder))
            rows = session.read.csv(path, header=True, inferSchema=True)
            rows.createOrReplaceTempView(reference.name)
        product = f"`{cell.name}`.{self._product.name}"
        plain = f"`{cell.name}`.{PLAIN}"
        for table in TABLES:
            target = f"{plain}.{table}"
            text = statement(
                "spark",
                table,
                target=target,
                hour=f"{self._hour:%Y-%m-%d %H:%M:%S}+00:00",
                events=f"{product}.events",
                sessions=f"{plain}.{SESSIONS}",
                content="content",
                time_zones="time_zones",
            )
            if not session.catalog.tableExists(target):
                # What a user does once: the columns are those of the query.
                query = text.partition("\n")[2]
                session.sql(
                    f"CREATE TABLE {target} USING iceberg PARTITIONED BY (hours(hour)) AS "  # noqa: S608
                    f"SELECT * FROM ({query}) LIMIT 0"
                )
            session.sql(text)
        return {}

    def close(self) -> None:
        self._spark.stop()


def start(cell: Cell, hour: datetime) -> _Runner:
    """Start Spark."""
    return _Runner(cell, hour)


def files(cell: Cell, hour: datetime) -> dict[str, list[str]]:
    """Return the files that its tables have now."""
    return {table: files_of_hour(cell, f"{PLAIN}.{table}", hour) for table in TABLES}
