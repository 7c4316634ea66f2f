"""Times of events as payloads have them."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.avro.field_path import type_at
from pipeline.avro.logical_types import without_ignored
from pipeline.avro.schema import Schema, logical_of
from pipeline.contract.model import Product
from pipeline.contract.targets.event_time import micros_of_plain_time

TIME_UNITS = {
    "timestamp-millis": 1_000,
    "timestamp-micros": 1,
    "local-timestamp-millis": 1_000,
    "local-timestamp-micros": 1,
}
"""Logical type of an instant -> microseconds in its unit."""


def event_time_field(product: Product) -> Callable[[int], int]:
    """Return what turns microseconds since the epoch into the payload's event time, in its own unit."""
    schema = Schema(without_ignored(product.payload_schema))
    logical = logical_of(schema.branch(type_at(schema, product.event_time))) or ""
    unit = micros_of_plain_time(product) or TIME_UNITS.get(logical)
    return lambda micros: int(micros // unit) if unit else micros * 1_000
