"""Hourly partitions: one partition an hour of event time, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime

import dagster as dg

from pipeline.contract.model import Product
from pipeline.hours.first import first_hour

FORMAT = "%Y-%m-%d-%H:00"


def hourly(product: Product) -> dg.HourlyPartitionsDefinition:
    """Return the hours of a product, from `first_hour` to the last that has ended."""
    first = to_key(first_hour(product))
    return dg.HourlyPartitionsDefinition(start_date=first, timezone="UTC", fmt=FORMAT)


def to_key(hour: datetime) -> str:
    """Return the partition key of an hour."""
    return hour.astimezone(UTC).strftime(FORMAT)


def to_hour(key: str) -> datetime:
    """Return the hour of a partition key."""
    return datetime.strptime(key, FORMAT).replace(tzinfo=UTC)
