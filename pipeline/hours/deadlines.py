"""By when the hours of a derived table are to be published. A pure function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.clock import HOUR, hour_of


@dataclass(frozen=True)
class Watch:
    """What tells since when an hour of one table can have been waited for.

    Attributes:
        since: the first look at the product's hours since the table is in its contract; None before.
        closed_at: hour -> when it was first seen closed.
    """

    since: datetime | None
    closed_at: Mapping[datetime, datetime]


def deadlines(watch: Watch, objective: timedelta, now: datetime) -> dict[datetime, datetime]:
    """Return by when each hour is to be published, oldest first; some of these times lie ahead.

    An hour that ended under watch is promised `objective` after its end, whether it is closed or not:
    an ingest that hangs is no excuse. One that ended before (history that is loaded, a table that is
    new) cannot be; it is promised `objective` after it was first seen closed under watch.
    """
    if watch.since is None:
        return {}
    found = {
        hour: max(at, watch.since) + objective
        for hour, at in watch.closed_at.items()
        if hour + HOUR <= watch.since
    }
    hour = hour_of(watch.since)
    while hour + HOUR <= now:
        found[hour] = hour + HOUR + objective
        hour += HOUR
    return dict(sorted(found.items()))
