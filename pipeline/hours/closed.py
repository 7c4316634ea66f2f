"""When an hour is closed: by proof, never by a guess from timestamps. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from pipeline.clock import HOUR, hour_of
from pipeline.hours.fence import Fence


def candidate_hours(
    with_rows: Iterable[datetime], since: datetime, now: datetime
) -> tuple[datetime, ...]:
    """Return every hour worth asking about, oldest first.

    Those with rows, and those of the wall clock from the one of `since` to the one of `now`.
    """
    hours = set(with_rows)
    hour = hour_of(since)
    while hour <= now:
        hours.add(hour)
        hour += HOUR
    return tuple(sorted(hours))


def hours_to_fence(
    candidates: Iterable[datetime],
    fences: Mapping[datetime, Fence],
    now: datetime,
    allowed_lateness: timedelta,
) -> tuple[datetime, ...]:
    """Return the hours that are due for a fence at `now` and have none."""
    return tuple(
        hour for hour in candidates if hour not in fences and now >= hour + HOUR + allowed_lateness
    )


def is_closed(fence: Fence | None, committed_next: Mapping[int, int]) -> bool:
    """Tell whether the committed offsets have passed the fence in every partition it saw.

    `committed_next` maps a partition to the first offset that is not committed. A partition that is
    not in it has committed nothing. Partitions that came after the fence do not matter.
    """
    return fence is not None and all(
        committed_next.get(partition, 0) >= watermark
        for partition, watermark in fence.watermarks.items()
    )


def closed_hours(
    candidates: Iterable[datetime],
    fences: Mapping[datetime, Fence],
    committed_next: Mapping[int, int],
) -> tuple[datetime, ...]:
    """Return the closed ones of `candidates`, in their order.

    Every record that the broker held at an hour's fence is then committed, whatever its timestamp.
    It is NOT promised that no row of that hour comes later: those are late data, by definition.
    """
    return tuple(hour for hour in candidates if is_closed(fences.get(hour), committed_next))
