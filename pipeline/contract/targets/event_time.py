"""What the numbers of a product's event time stand for."""

from __future__ import annotations

from fractions import Fraction

from pipeline.avro.field_path import type_at
from pipeline.avro.schema import Schema, kind_of, logical_of
from pipeline.contract.model import Product

CHANGE_UNITS = {"ts_ms": Fraction(1_000), "ts_us": Fraction(1), "ts_ns": Fraction(1, 1_000)}
"""Names of a change's times -> microseconds of one: Debezium sends them without a logical type."""


def micros_of_time(product: Product) -> Fraction:
    """Return how many microseconds one of the event time's numbers is."""
    schema = Schema(product.payload_schema)
    logical = logical_of(schema.branch(type_at(schema, product.event_time)))
    return micros_of_plain_time(product) or Fraction(1_000 if logical == "timestamp-millis" else 1)


def micros_of_plain_time(product: Product) -> Fraction | None:
    """Return how many microseconds one of the event time is, where it is a number; None for a timestamp."""
    schema = Schema(product.payload_schema)
    found = schema.branch(type_at(schema, product.event_time))
    if not product.topic.debezium or logical_of(found) or kind_of(found) != "long":
        return None
    return CHANGE_UNITS.get(product.event_time.rpartition(".")[2])
