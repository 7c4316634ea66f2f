"""Hours of rows, as queries that group by them tell them: in seconds, which no time zone changes."""

from __future__ import annotations

from datetime import UTC, datetime

from pyspark.sql import Column
from pyspark.sql import functions as sf

from pipeline.tables.layout import HOUR_COLUMN


def seconds() -> Column:
    """Return the hour of a row, in seconds since 1970."""
    return sf.unix_seconds(HOUR_COLUMN)


def hour_at(seconds: int) -> datetime:
    """Return the hour that begins so many seconds after 1970 did."""
    return datetime.fromtimestamp(seconds, UTC)
