"""Wall time, as a value that callers pass in, so that planners stay pure and tests own the clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]
"""Returns the present instant, timezone-aware, in UTC."""

HOUR = timedelta(hours=1)


def utc_now() -> datetime:
    """Return the wall clock in UTC."""
    return datetime.now(UTC)


def hour_of(instant: datetime) -> datetime:
    """Return the start of the UTC hour that holds `instant`.

    Raises:
        ValueError: `instant` has no time zone.
    """
    if instant.tzinfo is None:
        raise ValueError(f"{instant.isoformat()} has no time zone")
    return instant.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
