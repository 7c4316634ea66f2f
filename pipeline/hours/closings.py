"""When hours were first seen closed, and since when a table's hours have been waited for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipeline.hours.state import StateFile

_TABLES = """
CREATE TABLE IF NOT EXISTS hour_closings (
    topic_id TEXT NOT NULL,
    hour TEXT NOT NULL,
    closed_at TEXT NOT NULL,
    PRIMARY KEY (topic_id, hour)
) STRICT;
CREATE TABLE IF NOT EXISTS table_watches (
    topic_id TEXT NOT NULL,
    name TEXT NOT NULL,
    since TEXT NOT NULL,
    PRIMARY KEY (topic_id, name)
) STRICT;
CREATE INDEX IF NOT EXISTS closings_by_time ON hour_closings (topic_id, closed_at);
"""
_HOURS = "SELECT hour, closed_at FROM hour_closings WHERE topic_id = ? AND hour >= ?"
_CLOSED = "SELECT hour, closed_at FROM hour_closings WHERE topic_id = ? AND closed_at >= ?"
_NAMES = "SELECT name, since FROM table_watches WHERE topic_id = ?"


@dataclass(frozen=True)
class HourClosings:
    """When the hours of one table were first seen closed, and since when they have been looked at.

    Attributes:
        since: the first look at the product's hours since the table is in its contract; None before.
        closed_at: hour -> when it was first seen closed.
    """

    since: datetime | None
    closed_at: Mapping[datetime, datetime]


class ClosingStore:
    """Closings by topic id and hour, in a SQLite file. What was once noted is never changed.

    Every method is atomic, and safe beside other threads and processes on the same machine.
    """

    def __init__(self, path: Path) -> None:
        """Use the file at `path`, created with its folder where absent."""
        self._state = StateFile(path, _TABLES)

    def note(
        self,
        topic_id: str,
        closed: Iterable[datetime],
        tables: Iterable[str],
        now: datetime,
        since: datetime | None = None,
    ) -> None:
        """Note `now` for the closed hours and for the tables that nothing was noted for yet.

        `since` is the first of these hours at the earliest: what was noted for others is not read.
        """
        hours = {hour.isoformat() for hour in closed}
        names = set(tables)
        with self._state.reading() as connection:
            known = connection.execute(_HOURS, (topic_id, _text(since)))
            hours -= {hour for hour, _ in known}
            known = connection.execute(_NAMES, (topic_id,))
            names -= {name for name, _ in known}
        # Most looks find nothing new: they are to take no writer's lock.
        if not hours and not names:
            return
        at = now.isoformat()
        with self._state.writing() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO hour_closings VALUES (?, ?, ?)",
                [(topic_id, hour, at) for hour in sorted(hours)],
            )
            connection.executemany(
                "INSERT OR IGNORE INTO table_watches VALUES (?, ?, ?)",
                [(topic_id, name, at) for name in sorted(names)],
            )

    def closings(
        self,
        topic_id: str,
        table: str,
        since: datetime | None = None,
        closed_since: datetime | None = None,
    ) -> HourClosings:
        """Return what was noted for a table of the topic.

        Of the hours from `since` on, if it is given, and of those closed from `closed_since` on.
        """
        with self._state.reading() as connection:
            names = dict(connection.execute(_NAMES, (topic_id,)).fetchall())
            closed = connection.execute(_HOURS, (topic_id, _text(since))).fetchall()
            if closed_since is not None:
                closed += connection.execute(_CLOSED, (topic_id, _text(closed_since))).fetchall()
        since = names.get(table)
        return HourClosings(
            datetime.fromisoformat(since) if since else None,
            {datetime.fromisoformat(hour): datetime.fromisoformat(at) for hour, at in closed},
        )


def _text(since: datetime | None) -> str:
    # Texts of one form and one zone: their order is that of time.
    return "" if since is None else since.astimezone(UTC).isoformat()
