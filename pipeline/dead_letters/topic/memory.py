"""What a topic of dead letters was fed last, in the cell's state."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from pipeline.dead_letters.topic.plan import LETTER, SHOWN
from pipeline.state.port import State, StateConnection, Value

_TABLES = """
CREATE TABLE IF NOT EXISTS {at}dead_letter_topics (
    product {text} NOT NULL PRIMARY KEY,
    topic {text} NOT NULL,
    topic_id {text} NOT NULL,
    looked_at {text} NOT NULL,
    letters {integer} NOT NULL,
    states {text} NOT NULL,
    awaited {text} NOT NULL
) {strict};
CREATE TABLE IF NOT EXISTS {at}dead_letters_fed (
    product {text} NOT NULL,
    topic_id {text} NOT NULL,
    topic_partition {integer} NOT NULL,
    topic_offset {integer} NOT NULL,
    origin_partition {integer} NOT NULL,
    origin_offset {integer} NOT NULL,
    ingested_at {text} NOT NULL,
    shown {integer} NOT NULL,
    PRIMARY KEY (product, topic_id, topic_partition, topic_offset)
) {strict};
"""
_FED = """
SELECT topic, topic_id, looked_at, letters, states, awaited FROM {at}dead_letter_topics WHERE product = ?
"""
_KEEP = """
INSERT INTO {at}dead_letter_topics VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (product) DO UPDATE SET
    topic = excluded.topic, topic_id = excluded.topic_id, looked_at = excluded.looked_at,
    letters = excluded.letters, states = excluded.states, awaited = excluded.awaited
"""
_LETTERS = """
SELECT topic_id, topic_partition, topic_offset, origin_partition, origin_offset, ingested_at, shown
FROM {at}dead_letters_fed WHERE product = ?
"""
_NOTE = """
INSERT INTO {at}dead_letters_fed VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (product, topic_id, topic_partition, topic_offset) DO UPDATE SET shown = excluded.shown
"""
_FORGET = """
DELETE FROM {at}dead_letters_fed
WHERE product = ? AND topic_id = ? AND topic_partition = ? AND topic_offset = ?
"""
_BEGIN = "DELETE FROM {at}dead_letters_fed WHERE product = ?"


@dataclass(frozen=True)
class Fed:
    """What the topic was fed by.

    Attributes:
        topic, topic_id: name of the topic of dead letters, and Kafka's id of it.
        looked_at: when dead letters were looked at last, all of which it has been fed; None before that.
        letters: how many dead letters there were.
        states: the snapshot of states, as text; empty for none.
        awaited: partition -> the first offset of the product's topic at which a replayed record waited.
    """

    topic: str
    topic_id: str
    looked_at: datetime | None = None
    letters: int = -1
    states: str = ""
    awaited: Mapping[int, int] = field(default_factory=dict)


class TopicMemory:
    """What one product's topic was fed.

    Lost, all that is live is sent again; what was settled meanwhile has no tombstone then.

    Every method is atomic, and safe beside whoever else uses the state. Raises what `State` does.
    """

    def __init__(self, state: State, product: str) -> None:
        """Use `state`, with tables of its own that are created where absent."""
        state.have(_TABLES)
        self._state, self._product = state, product

    def fed(self) -> Fed | None:
        """Return what was kept last; None where nothing was."""
        with self._state.reading() as connection:
            rows = connection.execute(_FED, (self._product,))
        for topic, topic_id, looked_at, letters, states, awaited in rows:
            at = datetime.fromisoformat(looked_at) if looked_at else None
            offsets = {int(p): offset for p, offset in json.loads(awaited).items()}
            return Fed(topic, topic_id, at, letters, states, offsets)
        return None

    def begin(self, fed: Fed) -> None:
        """Forget all there is: the topic is a new one."""
        with self._state.writing() as connection:
            connection.execute(_BEGIN, (self._product,))
            self._keep(connection, fed)

    def keep(self, fed: Fed) -> None:
        """Keep what the topic was fed by, in place of what is there."""
        with self._state.writing() as connection:
            self._keep(connection, fed)

    def letters(self) -> pl.DataFrame:
        """Return the dead letters that are known: LETTER and SHOWN."""
        with self._state.reading() as connection:
            rows = connection.execute(_LETTERS, (self._product,))
        told = {**LETTER, "_ingested_at": pl.String, SHOWN: pl.Int64}
        frame = pl.DataFrame(rows, schema=told, orient="row")
        return frame.with_columns(
            pl.col("_ingested_at").str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%z", time_unit="us")
        )

    def note(self, letters: pl.DataFrame, shown: int) -> None:
        """Note dead letters (LETTER) with what of them is in the topic."""
        with self._state.writing() as connection:
            connection.execute_many(_NOTE, ((self._product, *row, shown) for row in _rows(letters)))

    def forget(self, letters: pl.DataFrame) -> None:
        """Forget dead letters."""
        with self._state.writing() as connection:
            connection.execute_many(_FORGET, ((self._product, *row[:3]) for row in _rows(letters)))

    def _keep(self, connection: StateConnection, fed: Fed) -> None:
        at = "" if fed.looked_at is None else fed.looked_at.isoformat()
        awaited = json.dumps({str(p): offset for p, offset in sorted(fed.awaited.items())})
        row = (self._product, fed.topic, fed.topic_id, at, fed.letters, fed.states, awaited)
        connection.execute(_KEEP, row)


def _rows(letters: pl.DataFrame) -> Iterator[tuple[Value, ...]]:
    for *place, at in letters.select(list(LETTER)).iter_rows():
        yield *place, at.isoformat(timespec="microseconds")
