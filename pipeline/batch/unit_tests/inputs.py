"""What a derived table's logic reads, given as rows: the same columns and views as of a cell's tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from pipeline.batch.compute.logic import load_logic
from pipeline.batch.compute.range import compute_range
from pipeline.batch.compute.references import reference_frame
from pipeline.batch.compute.table_types import as_table, columns_of, nullable
from pipeline.batch.context import RangeContext
from pipeline.batch.model import Source
from pipeline.cells import embedded_cell
from pipeline.contract.model import EVENTS, DerivedTable, Product, Reference
from pipeline.contract.targets.iceberg import events_schema
from pipeline.control.publications import PublicationLog
from pipeline.tables.layout import HOUR_COLUMN

Rows = Mapping[str, Sequence[Mapping[str, Any]]]
"""Rows by the name of what is read; each says some of its columns."""

_SOME_HOUR = datetime(2026, 1, 1, tzinfo=UTC)


class InputColumns:
    """The columns of what the derived tables of one product read; all may be null."""

    def __init__(self, spark: SparkSession, product: Product) -> None:
        """Tell them by `spark`, in sessions of its own."""
        self.spark = spark
        self.product = product
        # Nothing is read from it, nor written to it.
        self.cell = embedded_cell(Path("/nowhere"), product.cells[0], "")
        self._known: dict[tuple[str, bool], StructType] = {}

    def of(self, name: str, reader: DerivedTable) -> StructType:
        """Return the columns of what has that name for `reader`.

        Another derived table has those that its logic gives, told by having it compute an hour of nothing;
        its own earlier hours have those that its `SCHEMA` says.

        Raises:
            LogicError: the logic fails, or gives what no table holds.
            ReferenceDataError: reference data cannot be read.
        """
        key = (name, name == reader.name)
        if key not in self._known:
            found = self._own(reader) if name == reader.name else self._find(name)
            self._known[key] = nullable(found)
        return self._known[key]

    def _own(self, table: DerivedTable) -> StructType:
        stated = load_logic(table.logic).schema
        return self.spark.createDataFrame([], f"{stated}, {HOUR_COLUMN} TIMESTAMP").schema

    def _find(self, name: str) -> StructType:
        if name == EVENTS:
            return columns_of(self.spark, events_schema(self.product))
        for reference in self.product.references:
            if reference.name == name:
                return reference_frame(self.spark, self.product, reference).schema
        table = next(one for one in self.product.derived_tables if one.name == name)
        return compute_given(given_context(self, table, [_SOME_HOUR], {})).schema


@dataclass(frozen=True)
class GivenInputs:
    """Rows in place of a cell's tables; what is not given has none, reference data its own."""

    columns: InputColumns
    reader: DerivedTable
    rows: Rows

    def events(self, session: SparkSession) -> DataFrame:
        """Return events."""
        return self._frame(session, EVENTS)

    def table(self, session: SparkSession, name: str) -> DataFrame:
        """Return the rows of a derived table."""
        return self._frame(session, name)

    def reference(self, session: SparkSession, reference: Reference) -> DataFrame:
        """Return reference data."""
        if reference.name in self.rows:
            return self._frame(session, reference.name)
        return reference_frame(session, self.columns.product, reference)

    def _frame(self, session: SparkSession, name: str) -> DataFrame:
        columns = self.columns.of(name, self.reader)
        # Whole rows: what is left out is null.
        rows = [
            {column: row.get(column) for column in columns.names} for row in self.rows.get(name, ())
        ]
        return session.createDataFrame(rows, columns)


def given_context(
    columns: InputColumns, table: DerivedTable, hours: Sequence[datetime], rows: Rows
) -> RangeContext:
    """Return adjoining hours of a table as a build has them, to be computed from `rows`."""
    return RangeContext(
        spark=columns.spark,
        cell=columns.cell,
        product=columns.product,
        derived_table=table,
        sources={hour: Source(snapshot_id=0, rows=0) for hour in hours},
        run_id="",
        publications=PublicationLog(),
        given=GivenInputs(columns, table, rows),
    )


def compute_given(context: RangeContext) -> DataFrame:
    """Return what the logic gives for the hours of `context`, as readers of its table would have it.

    Raises:
        LogicError: no table holds it.
        What `compute_range` raises.
    """
    return as_table(compute_range(context.spark.newSession(), context), context.derived_table)
