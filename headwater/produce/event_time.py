"""Times of events as payloads have them."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.contract.model import Product
from pipeline.contract.targets.event_time import micros_of_time

TIME_UNITS = {
    "timestamp-millis": 1_000,
    "timestamp-micros": 1,
    "local-timestamp-millis": 1_000,
    "local-timestamp-micros": 1,
}
"""Logical type of an instant -> microseconds in its unit."""


def event_time_field(product: Product) -> Callable[[int], int]:
    """Return what turns microseconds since the epoch into the payload's event time, in its own unit."""
    unit = micros_of_time(product)
    up, down = unit.numerator, unit.denominator
    return lambda micros: micros * down // up
