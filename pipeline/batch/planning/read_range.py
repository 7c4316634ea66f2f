"""Reading what ranges of hours are planned from: columns' types, and how much Spark may hold."""

from __future__ import annotations

import re
from dataclasses import replace

import pyarrow as pa
from pyarrow import types

from pipeline.batch.planning.plan import HoursPlan
from pipeline.batch.planning.range_logic import RangeLogic, range_logic
from pipeline.batch.planning.ranges import RangeBounds, RangesPlan, plan_ranges
from pipeline.batch.sql.custom import CustomQuery, custom_queries
from pipeline.batch.sql.types import Types
from pipeline.cells import Cell
from pipeline.contract.model import EVENTS, Product
from pipeline.contract.references.data import ReferenceDataError, load_reference
from pipeline.contract.targets.iceberg import events_schema
from pipeline.spark.settings import REMOTE
from pipeline.tables.catalog import load_table
from pipeline.tables.layout import HOUR_COLUMN, events_table
from pipeline.tables.snapshots import bytes_per_row

_SHARE = 4
"""Events are read from files of at most a fourth of Spark's memory: in rows they are larger."""
_UNITS = {"": 2**20, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
_NAMED = {pa.int8(): "tinyint", pa.int16(): "smallint", pa.int32(): "int", pa.int64(): "bigint"}
_DEFAULT_BYTES = 100


def read_ranges(cell: Cell, product: Product, plan: HoursPlan) -> RangesPlan:
    """Put the hours of a plan together in ranges, by what its contracts and its cell say now.

    Raises:
        As `read_range_bounds`.
    """
    logic, bounds = read_range_logic(product), read_range_bounds(cell, product)
    ranges = plan_ranges(product, plan, logic, bounds)
    return RangesPlan(logic, bounds, ranges, read_custom_queries(product))


def read_range_logic(product: Product) -> dict[str, RangeLogic]:
    """Return how hours of each derived table are computed together, by its name.

    Columns have the types that the contract gives them; a table of events that an older contract left may be
    wider, so whoever computes a range asks again. What cannot be read has no types.
    """
    found = _types(product)
    return {table.name: range_logic(table, found) for table in product.derived_tables}


def read_custom_queries(product: Product) -> dict[str, tuple[CustomQuery, ...]]:
    """Return the custom queries that hours of each derived table are held to, by its name.

    Columns of events and of reference data have the types that the contract gives them, and those of derived
    tables none: whoever audits a range asks again, by the types that they have then.
    """
    types = _types(product)
    columns = {
        table.name: dict.fromkeys((HOUR_COLUMN, *(one.name for one in table.columns)), "")
        for table in product.derived_tables
    }
    return {
        table.name: custom_queries(table, {**columns, **types}, columns[table.name])
        for table in product.derived_tables
    }


def read_range_bounds(cell: Cell, product: Product) -> RangeBounds:
    """Return how much is built together, by the memory of the cell's Spark and the size of events' files.

    Raises:
        TableMissingError: the product was never ingested in this cell.
        CatalogUnavailableError, WarehouseUnavailableError: try again later.
    """
    table = load_table(cell, events_table(product.name))
    size = bytes_per_row(table) or _DEFAULT_BYTES
    bounds = RangeBounds(rows=max(1, int(_memory(cell) // _SHARE // size)))
    # Over Spark Connect views are looked up when a statement runs: hours in one would see those of the last.
    return replace(bounds, one_by_one=1) if REMOTE in cell.spark else bounds


def _memory(cell: Cell) -> int:
    """Return the bytes of the memory that the cell's Spark computes in, as far as the cell says."""
    master = str(cell.spark.get("spark.master", "local"))
    where = "driver" if master.startswith("local") else "executor"
    given = re.fullmatch(
        r"(\d+)([kmgt]?)b?", str(cell.spark.get(f"spark.{where}.memory", "")).lower()
    )
    return int(given[1]) * _UNITS[given[2]] if given else 2**30


def _types(product: Product) -> Types:
    found: dict[str, dict[str, str]] = {}
    try:
        found[EVENTS] = _named(events_schema(product))
        for reference in product.references:
            found[reference.name] = _named(
                load_reference(product, reference).frame.to_arrow().schema
            )
    except ReferenceDataError:
        # Each hour says so when it is built.
        pass
    return found


def _named(schema: pa.Schema) -> dict[str, str]:
    return {field.name: _name(field.type) for field in schema}


def _name(kind: pa.DataType) -> str:
    if types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return "string"
    if types.is_timestamp(kind):
        return "timestamp"
    return _NAMED.get(kind, str(kind))
