"""Fences: where every partition's end stood when an hour's lateness allowance had passed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipeline.hours.state import StateFile

_TABLES = """
CREATE TABLE IF NOT EXISTS hour_fences (
    topic_id TEXT NOT NULL,
    hour TEXT NOT NULL,
    taken_at TEXT NOT NULL,
    watermarks TEXT NOT NULL,
    PRIMARY KEY (topic_id, hour)
) STRICT;
CREATE TABLE IF NOT EXISTS hour_watches (
    topic_id TEXT NOT NULL PRIMARY KEY,
    since TEXT NOT NULL
) STRICT;
"""
_FENCES = """
SELECT hour, taken_at, watermarks FROM hour_fences WHERE topic_id = ? AND hour >= ? ORDER BY hour
"""


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
    """Fences by topic id and hour, in a SQLite file. A fence once placed is never moved.

    Every method is atomic, and safe beside other threads and processes on the same machine.
    """

    def __init__(self, path: Path) -> None:
        """Use the file at `path`, created with its folder where absent."""
        self._state = StateFile(path, _TABLES)

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
            connection.executemany("INSERT OR IGNORE INTO hour_fences VALUES (?, ?, ?, ?)", rows)

    def fences(self, topic_id: str, since: datetime | None = None) -> dict[datetime, Fence]:
        """Return the topic's fences by hour, oldest first; of the hours from `since` on, if it is given."""
        # Texts of one form and one zone: their order is that of time.
        first = "" if since is None else since.astimezone(UTC).isoformat()
        with self._state.reading() as connection:
            rows = connection.execute(_FENCES, (topic_id, first)).fetchall()
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
            connection.execute(
                "INSERT OR IGNORE INTO hour_watches VALUES (?, ?)", (topic_id, now.isoformat())
            )
            (since,) = connection.execute(
                "SELECT since FROM hour_watches WHERE topic_id = ?", (topic_id,)
            ).fetchone()
        return datetime.fromisoformat(since)
