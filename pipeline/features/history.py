"""Reading a feature table's history, and since when each of its builds has been known."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
from pyiceberg.table import Table

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.control.publications import HourSpan, read_recorded
from pipeline.errors import TerminalError
from pipeline.features.plan import HistoryPlan, feature_table
from pipeline.features.times import UTC_MICROS
from pipeline.tables.catalog import TableMissingError, load_table
from pipeline.tables.errors import named_errors
from pipeline.tables.integrity.reading import reading
from pipeline.tables.layout import BUILD_COLUMN as BUILD
from pipeline.tables.layout import FEATURE_TIME_COLUMN as FEATURE_TIME
from pipeline.tables.layout import HOUR_COLUMN, history_table
from pipeline.tables.layout import KNOWN_FROM_COLUMN as KNOWN_FROM


class FeatureNotBuiltError(TerminalError):
    """No hour of the feature table was ever built in the cell."""


def open_history(cell: Cell, product: Product, table: str) -> Table:
    """Load the history of a feature table.

    Raises:
        NotAFeatureTableError: the product has no such feature table.
        FeatureNotBuiltError: it has no history yet.
        CatalogUnavailableError, WarehouseUnavailableError: try again later.
    """
    identifier = history_table(product.name, feature_table(product, table).name)
    try:
        return load_table(cell, identifier)
    except TableMissingError:
        raise FeatureNotBuiltError(
            "it has no history: none of its hours was built yet.",
            subject=f"{cell.name}.{identifier}",
            remedy=f"Build them: `headwater hours build {product.name} --cell {cell.name}`.",
        ) from None


def columns_of(history: Table) -> pl.Schema:
    """Return the history's columns and their types in frames."""
    return _frame(history.schema().as_arrow().empty_table()).schema


def read_history(
    cell: Cell,
    product: Product,
    plan: HistoryPlan,
    entities: pl.DataFrame,
    on_rows: Callable[[int], None] = lambda _: None,
) -> pl.DataFrame:
    """Return the planned part of a history that is about `entities`, as `point_in_time_join` takes it.

    A row is known from the `published_at` of the publication of its build; rows whose build has none are
    left out, and so are those known only after the plan's `known_through`. Publications are read first:
    of every build that counts, all rows are there. Reads only the hours and columns of the plan, a batch
    at a time; held is what is returned. `on_rows` is told how many rows were read so far.

    Raises:
        TableMissingError, CatalogUnavailableError, WarehouseUnavailableError.
        FileMissingError, FileDamagedError: with the file.
    """
    with named_errors(f"{cell.name}.{plan.table}"):
        published = _published(cell, product, plan)
        history = load_table(cell, plan.table)
        columns = columns_of(history)
        kept = [*plan.entity, *plan.features, BUILD]
        parts = [
            pl.DataFrame(schema={name: columns[name] for name in kept}).with_columns(
                pl.lit(None, UTC_MICROS).alias(FEATURE_TIME),
                pl.lit(None, UTC_MICROS).alias(KNOWN_FROM),
            )
        ]
        if plan.first_hour is None or plan.last_hour is None or published.is_empty():
            return parts[0]
        scan = history.scan(
            f"{HOUR_COLUMN} >= '{plan.first_hour.isoformat()}' "
            f"and {HOUR_COLUMN} <= '{plan.last_hour.isoformat()}'",
            selected_fields=(*kept, HOUR_COLUMN),
        )
        read = 0
        with reading(history):
            for batch in scan.to_arrow_batch_reader():
                rows = _frame(batch)
                read += len(rows)
                parts.append(
                    rows.join(entities, on=plan.entity, how="semi", nulls_equal=True)
                    .join(published, on=[BUILD, HOUR_COLUMN])
                    .select(
                        *kept,
                        (pl.col(HOUR_COLUMN) + pl.duration(hours=1)).alias(FEATURE_TIME),
                        KNOWN_FROM,
                    )
                )
                on_rows(read)
    return pl.concat(parts, rechunk=True)


def _published(cell: Cell, product: Product, plan: HistoryPlan) -> pl.DataFrame:
    span = HourSpan(plan.first_hour, plan.last_hour)
    known = [
        (one.wap_id, one.hour, one.published_at)
        for one in read_recorded(cell, product.name, span).publications
        if one.table == plan.table
        and plan.known_through is not None
        and one.published_at <= plan.known_through
    ]
    schema = {BUILD: pl.String(), HOUR_COLUMN: UTC_MICROS, KNOWN_FROM: UTC_MICROS}
    return pl.DataFrame(known, schema=schema, orient="row").unique(
        [BUILD, HOUR_COLUMN], keep="last"
    )


def _frame(data: object) -> pl.DataFrame:
    frame = pl.from_arrow(data)
    if not isinstance(frame, pl.DataFrame):
        raise TypeError("a table becomes a frame")
    return frame
