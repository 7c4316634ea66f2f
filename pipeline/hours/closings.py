"""When hours were first seen closed, and since when a table's hours have been waited for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from pipeline.state.port import State

_TABLES = """
CREATE TABLE IF NOT EXISTS {at}hour_closings (
    topic_id {text} NOT NULL,
    hour {text} NOT NULL,
    closed_at {text} NOT NULL,
    PRIMARY KEY (topic_id, hour)
) {strict};
CREATE TABLE IF NOT EXISTS {at}table_watches (
    topic_id {text} NOT NULL,
    name {text} NOT NULL,
    since {text} NOT NULL,
    PRIMARY KEY (topic_id, name)
) {strict};
CREATE INDEX IF NOT EXISTS closings_by_time ON {at}hour_closings (topic_id, closed_at);
"""
_HOURS = "SELECT hour, closed_at FROM {at}hour_closings WHERE topic_id = ? AND hour >= ?"
_CLOSED = "SELECT hour, closed_at FROM {at}hour_closings WHERE topic_id = ? AND closed_at >= ?"
_CLOSE = "INSERT INTO {at}hour_closings VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_WATCH = "INSERT INTO {at}table_watches VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_NAMES = "SELECT name, since FROM {at}table_watches WHERE topic_id = ?"


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
    """Closings by topic id and hour, in a cell's state. What was once noted is never changed.

    Every method is atomic, and safe beside whoever else uses the state. Raises what `State` does.
    """

    def __init__(self, state: State) -> None:
        """Use `state`, with tables of its own that are created where absent."""
        state.have(_TABLES)
        self._state = state

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
            connection.execute_many(_CLOSE, [(topic_id, hour, at) for hour in sorted(hours)])
            connection.execute_many(_WATCH, [(topic_id, name, at) for name in sorted(names)])

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
            names: dict[str, str] = dict(connection.execute(_NAMES, (topic_id,)))
            closed = connection.execute(_HOURS, (topic_id, _text(since)))
            if closed_since is not None:
                closed += connection.execute(_CLOSED, (topic_id, _text(closed_since)))
        watched = names.get(table)
        return HourClosings(
            datetime.fromisoformat(watched) if watched else None,
            {datetime.fromisoformat(hour): datetime.fromisoformat(at) for hour, at in closed},
        )


def _text(since: datetime | None) -> str:
    # Texts of one form and one zone: their order is that of time.
    return "" if since is None else since.astimezone(UTC).isoformat()
