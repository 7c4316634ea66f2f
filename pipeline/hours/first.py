"""The first hour that is built without being asked for. Pure functions."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from pipeline.clock import hour_of
from pipeline.contract.model import Product

LIVE_FROM = datetime(2025, 1, 1, tzinfo=UTC)
"""For a product whose contract says nothing and loads no history."""
HISTORY_FROM = datetime(2010, 1, 1, tzinfo=UTC)
"""For a product of history: nine times as many partitions, which Dagster lists in a second."""


def first_hour(product: Product) -> datetime:
    """Return the first hour that Dagster has a partition for, and that sensors build.

    The contract's `firstHour`; else the time that `topic.start` is; else an early one for a topic of
    `history`, and a late one for others.
    """
    if product.first_hour is not None:
        return hour_of(product.first_hour)
    if isinstance(product.topic.start, datetime):
        return hour_of(product.topic.start)
    return HISTORY_FROM if product.topic.history else LIVE_FROM


def too_early(product: Product, hours: Collection[datetime]) -> str | None:
    """Return what is to be said of those of `hours`, which have rows, that lie before; None if none does."""
    first = first_hour(product)
    early = sorted(hour for hour in hours if hour < first)
    if not early:
        return None
    return (
        f"{len(early):,} hours with rows, from {early[0]:%Y-%m-%dT%H}, lie before the first that is built "
        f"without being asked for, {first:%Y-%m-%dT%H}: no sensor builds them. State `firstHour: "
        f"{early[0]:%Y-%m-%d}` in the contract of {product.name}, or build them once with "
        f"`headwater hours build`."
    )
