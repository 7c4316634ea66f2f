"""Rows of the table of states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import polars as pl
import pyarrow as pa

from pipeline.dead_letters.fate import ORIGIN, PLACE, LetterState
from pipeline.dead_letters.outbox.outgoing import GOES_BACK, Outgoing
from pipeline.dead_letters.outbox.send import Place
from pipeline.kafka.identity import TopicIdentity
from pipeline.tables.layout import DEAD_LETTER_STATE_SCHEMA


def claimed_rows(topic: TopicIdentity, part: Outgoing, action_id: str, at: datetime) -> pa.Table:
    """Return the claims of those dead letters of which something goes back: that."""
    chosen = part.letters.get_column("verdict").is_in(GOES_BACK)
    back = part.back.filter(chosen.to_arrow())
    columns = {name: back.column(name) for name in back.column_names}
    letters = part.letters.filter(chosen)
    return _rows(topic, letters, LetterState.CLAIMED, action_id, at, columns)


def discarded_rows(
    topic: TopicIdentity, letters: pl.DataFrame, action_id: str, at: datetime
) -> pa.Table:
    """Return that dead letters, of which there are PLACE and ORIGIN, are discarded."""
    return _rows(topic, letters, LetterState.DISCARDED, action_id, at, {})


def sent_rows(claims: pa.Table, places: Sequence[Place | None], at: datetime) -> pa.Table:
    """Return that what `claims` hold was sent, and is now at `places`; released, where that is None."""
    state = [
        LetterState.RELEASED.value if place is None else LetterState.SENT.value for place in places
    ]
    return _table(
        len(places),
        {
            **{name: claims.column(name) for name in DEAD_LETTER_STATE_SCHEMA.names},
            "state": pa.array(state, pa.string()),
            "at": _constant("at", at, len(places)),
            "replayed_partition": pa.array([one and one[0] for one in places], pa.int32()),
            "replayed_offset": pa.array([one and one[1] for one in places], pa.int64()),
            "record_key": None,
            "record_value": None,
            "headers": None,
        },
    )


def _rows(
    topic: TopicIdentity,
    letters: pl.DataFrame,
    state: LetterState,
    action_id: str,
    at: datetime,
    columns: Mapping[str, pa.ChunkedArray],
) -> pa.Table:
    own = letters.select(*PLACE, origin_partition=ORIGIN[0], origin_offset=ORIGIN[1]).to_arrow()
    given = {
        "_topic": topic.topic,
        "_topic_id": topic.topic_id,
        "state": state.value,
        "action_id": action_id,
        "at": at,
    }
    return _table(
        len(letters),
        {name: _constant(name, value, len(letters)) for name, value in given.items()}
        | {name: own.column(name) for name in own.column_names}
        | dict(columns),
    )


def _constant(name: str, value: object, rows: int) -> pa.Array:
    return pa.repeat(pa.scalar(value, DEAD_LETTER_STATE_SCHEMA.field(name).type), rows)


def _table(rows: int, columns: Mapping[str, pa.Array | pa.ChunkedArray | None]) -> pa.Table:
    """Return the columns as rows of the table; those that are not given, or None, are null."""
    made = []
    for field in DEAD_LETTER_STATE_SCHEMA:
        column = columns.get(field.name)
        made.append(pa.nulls(rows, field.type) if column is None else column.cast(field.type))
    return pa.table(made, schema=DEAD_LETTER_STATE_SCHEMA)
