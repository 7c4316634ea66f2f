"""Fences: where every partition's end stood when an hour's lateness allowance had passed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from pipeline.state.port import State

_TABLES = """
CREATE TABLE IF NOT EXISTS {at}hour_fences (
    topic_id {text} NOT NULL,
    hour {text} NOT NULL,
    taken_at {text} NOT NULL,
    watermarks {text} NOT NULL,
    PRIMARY KEY (topic_id, hour)
) {strict};
CREATE TABLE IF NOT EXISTS {at}hour_watches (
    topic_id {text} NOT NULL PRIMARY KEY,
    since {text} NOT NULL
) {strict};
"""
_FENCES = """
SELECT hour, taken_at, watermarks FROM {at}hour_fences WHERE topic_id = ? AND hour >= ? ORDER BY hour
"""
_PLACE = "INSERT INTO {at}hour_fences VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
_WATCH = "INSERT INTO {at}hour_watches VALUES (?, ?) ON CONFLICT DO NOTHING"
_SINCE = "SELECT since FROM {at}hour_watches WHERE topic_id = ?"


@dataclass(frozen=True)
class Fence:
    """What an hour waits for.

    Attributes:
        hour: start of the hour, UTC.
        taken_at: when the watermarks were asked for, at the earliest; UTC.
        watermarks: partition -> high watermark (the first offset past the last record), for every
            partition that the topic had then.
    """

    hour: datetime
    taken_at: datetime
    watermarks: Mapping[int, int]


class FenceStore:
    """Fences by topic id and hour, in a cell's state. A fence once placed is never moved.

    Every method is atomic, and safe beside whoever else uses the state. Raises what `State` does.
    """

    def __init__(self, state: State) -> None:
        """Use `state`, with tables of its own that are created where absent."""
        state.have(_TABLES)
        self._state = state

    def place(
        self,
        topic_id: str,
        hours: Iterable[datetime],
        watermarks: Mapping[int, int],
        taken_at: datetime,
    ) -> None:
        """Fence those of `hours` that have no fence yet; the others keep theirs."""
        text = json.dumps({str(p): offset for p, offset in sorted(watermarks.items())})
        rows = [(topic_id, hour.isoformat(), taken_at.isoformat(), text) for hour in hours]
        with self._state.writing() as connection:
            connection.execute_many(_PLACE, rows)

    def fences(self, topic_id: str, since: datetime | None = None) -> dict[datetime, Fence]:
        """Return the topic's fences by hour, oldest first; of the hours from `since` on, if it is given."""
        # Texts of one form and one zone: their order is that of time.
        first = "" if since is None else since.astimezone(UTC).isoformat()
        with self._state.reading() as connection:
            rows = connection.execute(_FENCES, (topic_id, first))
        return {
            (hour := datetime.fromisoformat(text)): Fence(
                hour,
                datetime.fromisoformat(taken_at),
                {int(p): offset for p, offset in json.loads(watermarks).items()},
            )
            for text, taken_at, watermarks in rows
        }

    def watched_since(self, topic_id: str, now: datetime) -> datetime:
        """Return the instant of the topic's first look, which is `now` if there was none."""
        with self._state.writing() as connection:
            connection.execute(_WATCH, (topic_id, now.isoformat()))
            ((since,),) = connection.execute(_SINCE, (topic_id,))
        return datetime.fromisoformat(since)
