"""A product's lineage as its contracts tell it: tables, their columns, and what each is made from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import pyarrow as pa

from pipeline.avro import arrow
from pipeline.contract.lineage.sources import TOPIC, SourceColumn
from pipeline.contract.lineage.trace import ColumnEdge, trace_columns
from pipeline.contract.model import EVENTS, Column, Product
from pipeline.contract.targets.iceberg import events_schema
from pipeline.tables.layout import DEAD_LETTER_SCHEMA

DEAD_LETTERS = "dead_letters"
"""Stands for the product's dead letters, whole records: none of their columns is made from another."""


class TableKind(StrEnum):
    """What a table of a graph is."""

    TOPIC = "topic"
    REFERENCE = "reference data"
    EVENTS = "events"
    DEAD_LETTERS = "dead letters"
    DERIVED = "derived table"
    FEATURES = "feature table"


@dataclass(frozen=True)
class LineageColumn:
    """A column of a table; `type` is empty where no contract says it."""

    name: str
    type: str = ""
    description: str = ""
    personal: bool = False
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class LineageTable:
    """A table, the topic, or reference data; `reads` are the tables that it is made from."""

    name: str
    kind: TableKind
    owner: str
    description: str
    columns: tuple[LineageColumn, ...]
    reads: tuple[str, ...] = ()


@dataclass(frozen=True)
class LineageGraph:
    """A product's tables, each after those that it reads, and every step from column to column.

    A table that reads its own earlier hours has no step into itself.
    """

    product: str
    tables: tuple[LineageTable, ...]
    edges: tuple[ColumnEdge, ...]

    def leads_to(self, column: SourceColumn) -> frozenset[SourceColumn]:
        """Return all that a column is made from, through every table between; not the column itself."""
        return _reached(self._sources, column)

    def comes_of(self, column: SourceColumn) -> frozenset[SourceColumn]:
        """Return all that is made from a column, through every table between; not the column itself."""
        return _reached(self._uses, column)

    def made_from(self, column: SourceColumn) -> tuple[SourceColumn, ...]:
        """Return what a column is made from at once."""
        return self._sources.get(column, ())

    @cached_property
    def _sources(self) -> Mapping[SourceColumn, tuple[SourceColumn, ...]]:
        return _gathered((one.column, one.source) for one in self.edges)

    @cached_property
    def _uses(self) -> Mapping[SourceColumn, tuple[SourceColumn, ...]]:
        return _gathered((one.source, one.column) for one in self.edges)


def lineage_graph(product: Product) -> LineageGraph:
    """Return the graph of a product, from its topic to the last of its derived tables.

    Raises:
        ReferenceDataError: reference data that events are joined with cannot be read.
    """
    names = (EVENTS, *(one.name for one in product.derived_tables))
    edges = dict.fromkeys(edge for name in names for edge in trace_columns(product, name))
    named: dict[str, dict[str, None]] = {}
    for edge in edges:
        for one in (edge.source, edge.column):
            named.setdefault(one.table, {})[one.column] = None
    tables = (_with(table, named.get(table.name, ())) for table in _tables(product))
    return LineageGraph(product.name, tuple(tables), tuple(edges))


def _tables(product: Product) -> Iterator[LineageTable]:
    said = {column.name: column for column in product.columns}
    fields = arrow.fields(product.payload_schema)
    yield LineageTable(
        TOPIC,
        TableKind.TOPIC,
        product.owner,
        f"Kafka topic {product.topic.name}.",
        tuple(_column(field.name, _type(field), said) for field in fields),
    )
    for reference in product.references:
        columns = dict.fromkeys((*reference.on, *reference.columns))
        yield LineageTable(
            reference.name,
            TableKind.REFERENCE,
            product.owner,
            f"Reference data, {reference.source}.",
            tuple(LineageColumn(name) for name in columns),
        )
    joined = tuple(one.name for one in product.references if one.columns)
    yield LineageTable(
        EVENTS,
        TableKind.EVENTS,
        product.owner,
        product.description,
        tuple(_column(field.name, _type(field), said) for field in events_schema(product)),
        (TOPIC, *joined),
    )
    yield LineageTable(
        DEAD_LETTERS,
        TableKind.DEAD_LETTERS,
        product.owner,
        "Records that cannot be events: original bytes, coordinates and reason.",
        tuple(LineageColumn(field.name, _type(field)) for field in DEAD_LETTER_SCHEMA),
        (TOPIC,),
    )
    for table in product.derived_tables:
        reads = (one.table for one in table.reads if one.table != table.name)
        known = {column.name: column for column in table.columns}
        yield LineageTable(
            table.name,
            TableKind.DERIVED if table.feature is None else TableKind.FEATURES,
            table.owner,
            table.description,
            tuple(_column(name, "", known) for name in known),
            tuple(dict.fromkeys((*reads, *table.references))),
        )


def _type(field: pa.Field) -> str:
    """Return a column's type in Iceberg's words."""
    name = str(field.type)
    return _ICEBERG.get(name, name)


_ICEBERG = {
    "bool": "boolean",
    "int32": "int",
    "int64": "long",
    "timestamp[us, tz=UTC]": "timestamptz",
    "timestamp[us]": "timestamp",
    "date32[day]": "date",
    "time64[us]": "time",
    "list<item: struct<key: string, value: binary>>": "list<struct<key, value>>",
}


def _column(name: str, type_: str, said: Mapping[str, Column]) -> LineageColumn:
    one = said.get(name)
    if one is None:
        return LineageColumn(name, type_)
    tags = dict.fromkeys((one.classification or "", *one.tags))
    return LineageColumn(
        name, type_, one.description, one.personal, tuple(tag for tag in tags if tag)
    )


def _with(table: LineageTable, named: Iterable[str]) -> LineageTable:
    """Return a table with the columns that steps name, where its contract lists not all of them."""
    known = {column.name for column in table.columns}
    more = tuple(LineageColumn(name) for name in named if name not in known)
    return LineageTable(
        table.name, table.kind, table.owner, table.description, table.columns + more, table.reads
    )


def _gathered(
    pairs: Iterable[tuple[SourceColumn, SourceColumn]],
) -> Mapping[SourceColumn, tuple[SourceColumn, ...]]:
    found: dict[SourceColumn, list[SourceColumn]] = {}
    for one, other in pairs:
        found.setdefault(one, []).append(other)
    return {one: tuple(others) for one, others in found.items()}


def _reached(
    steps: Mapping[SourceColumn, tuple[SourceColumn, ...]], start: SourceColumn
) -> frozenset[SourceColumn]:
    seen: set[SourceColumn] = set()
    waiting = [start]
    while waiting:
        for one in steps.get(waiting.pop(), ()):
            if one not in seen:
                seen.add(one)
                waiting.append(one)
    return frozenset(seen - {start})
