"""The engines that read a table of events: PyIceberg, DuckDB and Spark, each by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb
import pyarrow as pa
from pyiceberg.table import Table
from pyspark.sql import SparkSession

from pipeline.cells import Cell
from pipeline.spark.session import own_session
from pipeline.spark.tables import table_name
from tests.round_trip.avro import Type

Reader = Callable[[Table], pa.Table]


def pyiceberg(table: Table) -> pa.Table:
    """Read by PyIceberg's scan."""
    return table.scan().to_arrow()


def as_pyiceberg_has(type_: Type, value: Any) -> Any:
    """Return what PyIceberg 0.12 makes of `value`: a null list or map of records is an empty one.

    The files are right, and other engines read them so; docs/reference/contract.md warns of it.
    """
    held = type_.held
    if held.kind in ("array", "map"):
        (_, inner), *_ = held.parts
        if inner.held.kind != "record":
            # What others hold stays as it is, all the way down.
            return value
        if held.kind == "array":
            return [as_pyiceberg_has(inner, one) for one in value or ()]
        return [(key, as_pyiceberg_has(inner, one)) for key, one in value or ()]
    if held.kind == "record" and value is not None:
        return {name: as_pyiceberg_has(part, value[name]) for name, part in held.parts}
    return value


def in_duckdb(table: Table) -> pa.Table:
    """Read the table's data files by DuckDB, columns by Iceberg's field ids."""
    files = [task.file.file_path for task in table.scan().plan_files()]
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        read = connection.sql(
            "SELECT * FROM read_parquet($files, hive_partitioning = false)", params={"files": files}
        )
        return read.to_arrow_table()


class InSpark:
    """Reads by Spark SQL over the cell's catalog, as builds of hours do."""

    def __init__(self, spark: SparkSession, cell: Cell) -> None:
        self._cell = cell
        self.session = own_session(spark, cell)
        # Compiling code for each of hundreds of schemas would take most of the time.
        for key, value in {
            "spark.sql.codegen.wholeStage": "false",
            "spark.sql.codegen.factoryMode": "NO_CODEGEN",
            "spark.sql.adaptive.enabled": "false",
        }.items():
            self.session.conf.set(key, value)

    def name(self, table: Table) -> str:
        """Return the table's quoted name."""
        return table_name(self._cell, ".".join(table.name()))

    def __call__(self, table: Table) -> pa.Table:
        return self.session.sql(f"SELECT * FROM {self.name(table)}").toArrow()
