"""Which columns a column is made from, from topic field to feature column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.contract.model import DerivedTable, Product

TOPIC = "topic"
"""Stands for the product's topic; its columns are the fields of the newest payload schema."""


@dataclass(frozen=True)
class SourceColumn:
    """A column of `TOPIC`, of `events`, of a derived table, or of reference data, by its name."""

    table: str
    column: str


Sources = Mapping[str, tuple[SourceColumn, ...]]
"""Column -> what it is made from."""


def events_sources(product: Product) -> Sources:
    """Return the sources of every column of events that comes from a record or reference data."""
    found: dict[str, tuple[SourceColumn, ...]] = {
        field["name"]: (SourceColumn(TOPIC, field["name"]),)
        for field in product.payload_schema["fields"]
    }
    found["_key"] = tuple(_field(path) for path in product.key_paths)
    found["_event_time"] = (_field(product.event_time),)
    if product.uuid is not None:
        found["_uuid"] = (_field(product.uuid),)
    for reference in product.references:
        on = tuple(SourceColumn(TOPIC, name) for name in reference.on)
        for column in reference.columns:
            found[column] = (SourceColumn(reference.name, column), *on)
    return found


def derived_sources(derived_table: DerivedTable) -> Sources:
    """Return what the contract says of each column of a derived table; `hour` comes from event time."""
    found = {
        column.name: tuple(_parse(source) for source in column.sources)
        for column in derived_table.columns
        if column.sources
    }
    first = derived_table.reads[0].table
    return found | {"hour": (SourceColumn(first, "_event_time" if first == "events" else "hour"),)}


def _field(path: str) -> SourceColumn:
    return SourceColumn(TOPIC, path.partition(".")[0])


def _parse(text: str) -> SourceColumn:
    table, _, column = text.partition(".")
    return SourceColumn(table, column)
