"""Reading the cell's tables in Spark."""

from __future__ import annotations

from pyspark.sql import DataFrame, DataFrameReader, SparkSession

from pipeline.cells import Cell

OPENING_BYTES = 256 * 1024
"""What opening a file counts as where tasks are planned. By Iceberg's default, 4 MB, four files are a task: a
month of hours, each a small file, took three times as long."""


def table_name(cell: Cell, identifier: str) -> str:
    """Return the quoted name of `namespace.table` in SQL."""
    return ".".join(f"`{part}`" for part in (cell.name, *identifier.split(".")))


def rows_of(session: SparkSession, cell: Cell, identifier: str) -> DataFrame:
    """Return the rows that main of `namespace.table` has.

    Raises:
        pyspark.errors.AnalysisException: there is no such table.
    """
    return _reader(session).table(table_name(cell, identifier))


def rows_at(session: SparkSession, cell: Cell, identifier: str, snapshot_id: int) -> DataFrame:
    """Return the rows of `namespace.table` as of a snapshot, on main or off it.

    Raises:
        pyspark.errors.AnalysisException: there is no such table.
    """
    reader = _reader(session).option("versionAsOf", snapshot_id)
    return reader.table(table_name(cell, identifier))


def _reader(session: SparkSession) -> DataFrameReader:
    return session.read.option("file-open-cost", OPENING_BYTES)
