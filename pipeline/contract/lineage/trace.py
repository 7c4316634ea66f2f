"""Columns followed back through every table between, to the topic's fields and reference data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipeline.contract.lineage.sources import (
    SourceColumn,
    Sources,
    derived_sources,
    events_sources,
)
from pipeline.contract.model import EVENTS, Product


@dataclass(frozen=True)
class ColumnEdge:
    """A column, and one of those that it is made from."""

    column: SourceColumn
    source: SourceColumn


def trace_columns(product: Product, table: str) -> tuple[ColumnEdge, ...]:
    """Return all that leads to the columns of `table`, `events` or a derived table, nearest first, each once.

    A table that reads its own earlier hours is not followed into itself.

    Raises:
        KeyError: the product has no such table.
    """
    known = _known(product)
    waiting = [SourceColumn(table, column) for column in known[table]]
    found: dict[ColumnEdge, None] = {}
    seen = set(waiting)
    while waiting:
        column = waiting.pop(0)
        for source in _made_from(known, column):
            found.setdefault(ColumnEdge(column, source))
            if source not in seen:
                seen.add(source)
                waiting.append(source)
    return tuple(found)


def trace_origins(product: Product, table: str) -> Sources:
    """Return the topic's fields and reference columns that each column of `table` comes from, in their order.

    Raises:
        KeyError: the product has no such table.
    """
    known = _known(product)
    return {
        column: tuple(dict.fromkeys(_ends(known, SourceColumn(table, column))))
        for column in known[table]
    }


def _known(product: Product) -> Mapping[str, Sources]:
    derived = {table.name: derived_sources(table) for table in product.derived_tables}
    return {EVENTS: events_sources(product), **derived}


def _made_from(known: Mapping[str, Sources], column: SourceColumn) -> tuple[SourceColumn, ...]:
    sources = known.get(column.table, {}).get(column.column, ())
    return tuple(source for source in sources if source.table != column.table)


def _ends(known: Mapping[str, Sources], column: SourceColumn) -> Iterator[SourceColumn]:
    sources = _made_from(known, column)
    if not sources:
        yield column
    for source in sources:
        yield from _ends(known, source)
