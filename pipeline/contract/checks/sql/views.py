"""What a derived table's SQL may read: views, and their columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from pipeline.avro import arrow
from pipeline.contract.model import EVENTS, DerivedTable, Product, Reference
from pipeline.contract.references.declared import locate, wanted
from pipeline.contract.references.file import read_columns
from pipeline.rows.converted import Converted
from pipeline.tables.layout import EVENT_COLUMNS, HOUR_COLUMN


@dataclass(frozen=True)
class View:
    """Rows that a statement reads.

    Attributes:
        columns: their types by name in small letters; None where a type is not known.
        is_open: whether it may have other columns, too, as what has a name in SQL alone.
    """

    columns: Mapping[str, pa.DataType | None] = field(default_factory=dict)
    is_open: bool = False


OPEN = View(is_open=True)


def base_views(product: Product) -> dict[str, View]:
    """Return events and reference data of a product, by name."""
    found = {one.name: _reference_view(product, one) for one in product.references}
    columns = {field.name.lower(): field.type for field in EVENT_COLUMNS}
    columns |= {field.name.lower(): field.type for field in arrow.fields(product.payload_schema)}
    for one in product.references:
        columns |= {name.lower(): found[one.name].columns.get(name.lower()) for name in one.columns}
    return {EVENTS: View(columns), **found}


def described_view(table: DerivedTable) -> View:
    """Return a derived table as others read it: its audit publishes no hour with other columns than these."""
    names = (HOUR_COLUMN, *(column.name for column in table.columns))
    return View(dict.fromkeys(name.lower() for name in names))


def readable(table: DerivedTable) -> tuple[str, ...]:
    """Return the names of what the contract lets a table's logic read."""
    return (*(read.table for read in table.reads), *table.references)


def _reference_view(product: Product, reference: Reference) -> View:
    try:
        path = locate(reference.source, product.folder)
        read = read_columns(path, path.read_bytes(), wanted(product.payload_schema, reference))
    except (OSError, ValueError, pa.ArrowException):
        # Loading the contract says so.
        return OPEN
    # What texts stand for is known where the contract says it, or the payload.
    return View(
        {
            name.lower(): column.type
            if isinstance(column, Converted) or not read.of_texts
            else None
            for name, column in read.columns.items()
        }
    )
