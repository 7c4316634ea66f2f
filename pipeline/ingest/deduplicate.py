"""De-duplication by uuid within an event-time hour, exact, over batches and restarts."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl
from pyiceberg.table import Table

MICROS_PER_HOUR = 3_600_000_000
Fingerprints = npt.NDArray[np.uint64]


class Deduplicator:
    """Knows the uuids of an events table, hour by hour.

    A redelivered event carries its own uuid and timestamp, so its twin is in the same event-time
    hour. One 64-bit fingerprint a row is kept of each hour touched, 8 MB per million rows; the
    least recently touched hours are forgotten beyond `capacity` rows and read again when needed.
    A fingerprint that hits is confirmed against the table, so the answer is exact.

    NOT found: an event sent again under another timestamp that falls in another hour.
    Not safe for use by several threads.
    """

    def __init__(self, capacity: int = 50_000_000) -> None:
        self._capacity = capacity
        self._hours: OrderedDict[int, Fingerprints] = OrderedDict()

    def forget(self) -> None:
        """Drop everything known: somebody else has changed the table."""
        self._hours.clear()

    def split(self, frame: pl.DataFrame, table: Table) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return (`frame` without duplicates, the duplicates), each in order.

        The first of several twins in `frame` stays, unless `table` has one already. `table` is
        what the fingerprints are confirmed against and must be as of the last `remember`.
        """
        if frame.is_empty():
            return frame, frame
        keyed = frame.with_columns(__hour=_hour(pl.col("_event_time")))
        first = keyed.select(pl.struct("_uuid", "__hour").is_first_distinct()).to_series()
        known = self._known(keyed, table)
        fresh = first & ~known
        return frame.filter(fresh), frame.filter(~fresh)

    def remember(self, frame: pl.DataFrame) -> None:
        """Add rows that have been committed."""
        for hour, prints in _by_hour(frame.select("_uuid", "_event_time")):
            if hour in self._hours:
                self._hours[hour] = np.union1d(self._hours[hour], prints)

    def _known(self, keyed: pl.DataFrame, table: Table) -> pl.Series:
        hours = keyed.get_column("__hour").unique().sort().to_list()
        self._load([hour for hour in hours if hour not in self._hours], table)
        prints = _fingerprints(keyed)
        hit = np.zeros(len(keyed), dtype=bool)
        hour_of_row = keyed.get_column("__hour").to_numpy()
        for hour in hours:
            self._hours.move_to_end(hour)
            rows = np.flatnonzero(hour_of_row == hour)
            hit[rows] = np.isin(prints[rows], self._hours[hour])
        self._evict(keep=len(hours))
        if not hit.any():
            return pl.Series(hit)
        suspects = sorted(set(hour_of_row[hit].tolist()))
        present = _read(table, suspects).with_columns(
            __hour=_hour(pl.col("_event_time")), __known=pl.lit(value=True)
        )
        confirmed = keyed.join(
            present.select("_uuid", "__hour", "__known").unique(["_uuid", "__hour"]),
            on=["_uuid", "__hour"],
            how="left",
            maintain_order="left",
        )
        return confirmed.get_column("__known").fill_null(value=False)

    def _load(self, hours: list[int], table: Table) -> None:
        if not hours:
            return
        for hour in hours:
            self._hours[hour] = np.empty(0, dtype=np.uint64)
        for hour, prints in _by_hour(_read(table, hours)):
            self._hours[hour] = np.unique(prints)

    def _evict(self, keep: int) -> None:
        size = sum(len(prints) for prints in self._hours.values())
        while size > self._capacity and len(self._hours) > keep:
            size -= len(self._hours.popitem(last=False)[1])


def _hour(event_time: pl.Expr) -> pl.Expr:
    return event_time.dt.epoch("us").floordiv(MICROS_PER_HOUR)


def _fingerprints(frame: pl.DataFrame) -> Fingerprints:
    # In memory only, so that a hash which differs between versions or machines does no harm.
    return frame.get_column("_uuid").hash(seed=17).to_numpy()


def _by_hour(frame: pl.DataFrame) -> Iterable[tuple[int, Fingerprints]]:
    keyed = frame.with_columns(__hour=_hour(pl.col("_event_time")))
    for (hour,), rows in keyed.group_by("__hour"):
        yield int(str(hour)), _fingerprints(rows)


def _read(table: Table, hours: list[int]) -> pl.DataFrame:
    """Return `_uuid` and `_event_time` of the rows of `hours` (hours since the epoch, sorted)."""
    spans: list[list[int]] = []
    for hour in hours:
        if spans and spans[-1][1] == hour:
            spans[-1][1] = hour + 1
        else:
            spans.append([hour, hour + 1])
    wanted = " or ".join(
        f"(_event_time >= '{_iso(start)}' and _event_time < '{_iso(end)}')" for start, end in spans
    )
    arrow = table.scan(row_filter=wanted, selected_fields=("_uuid", "_event_time")).to_arrow()
    frame = pl.from_arrow(arrow)
    if not isinstance(frame, pl.DataFrame):
        raise TypeError("a table becomes a frame")
    return frame


def _iso(hour: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=hour)).isoformat()
