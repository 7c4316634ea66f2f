"""By when the hours of a derived table are to be published. A pure function."""

from __future__ import annotations

from datetime import datetime, timedelta

from pipeline.clock import HOUR, hour_of
from pipeline.hours.closings import HourClosings


def deadlines(
    closings: HourClosings,
    objective: timedelta,
    now: datetime,
    since: datetime | None = None,
) -> dict[datetime, datetime]:
    """Return by when each hour is to be published, oldest first; some of these times lie ahead.

    An hour that ended after `closings.since` is promised `objective` after its end, whether it is closed
    or not: an ingest that hangs is no excuse. One that ended before (history that is loaded, a table that
    is new) cannot be; it is promised `objective` after it was first seen closed since then. Of the
    former, hours before `since` are left out, if it is given.
    """
    if closings.since is None:
        return {}
    found = {
        hour: max(at, closings.since) + objective
        for hour, at in closings.closed_at.items()
        if hour + HOUR <= closings.since
    }
    hour = hour_of(closings.since if since is None else max(since, closings.since))
    while hour + HOUR <= now:
        found[hour] = hour + HOUR + objective
        hour += HOUR
    return dict(sorted(found.items()))
