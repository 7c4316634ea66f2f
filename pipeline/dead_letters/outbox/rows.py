"""Rows of the table of states."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa

from pipeline.dead_letters.fate import LetterState
from pipeline.dead_letters.outbox.outgoing import Outgoing
from pipeline.dead_letters.outbox.send import Place
from pipeline.kafka.identity import TopicIdentity
from pipeline.tables.layout import DEAD_LETTER_STATE_SCHEMA


def claimed_rows(
    topic: TopicIdentity, chosen: Iterable[Outgoing], action_id: str, at: datetime
) -> pa.Table:
    """Return the claims of dead letters: what goes back for each."""
    return _rows(
        topic,
        LetterState.CLAIMED,
        action_id,
        at,
        [
            {
                "_topic_partition": one.letter.partition,
                "_offset": one.letter.offset,
                "origin_partition": one.origin[0],
                "origin_offset": one.origin[1],
                "record_key": one.record.key,
                "record_value": one.record.value,
                "headers": [{"key": key, "value": value} for key, value in one.record.headers],
            }
            for one in chosen
        ],
    )


def sent_rows(claims: pa.Table, places: Sequence[Place | None], at: datetime) -> pa.Table:
    """Return that what `claims` hold was sent, and is now at `places`; released, where that is None."""
    columns = {name: claims.column(name) for name in DEAD_LETTER_STATE_SCHEMA.names}
    columns |= {
        "state": pa.array(
            [
                LetterState.RELEASED.value if place is None else LetterState.SENT.value
                for place in places
            ]
        ),
        "at": pa.repeat(pa.scalar(at, DEAD_LETTER_STATE_SCHEMA.field("at").type), len(places)),
        "replayed_partition": pa.array([place and place[0] for place in places], pa.int32()),
        "replayed_offset": pa.array([place and place[1] for place in places], pa.int64()),
        **{
            name: pa.nulls(len(places), DEAD_LETTER_STATE_SCHEMA.field(name).type)
            for name in ("record_key", "record_value", "headers")
        },
    }
    return pa.table(columns).cast(DEAD_LETTER_STATE_SCHEMA)


def discarded_rows(
    topic: TopicIdentity, letters: Iterable[dict[str, Any]], action_id: str, at: datetime
) -> pa.Table:
    """Return that dead letters, of which coordinates and origins are given, are discarded."""
    rows = [
        {
            "_topic_partition": one["_topic_partition"],
            "_offset": one["_offset"],
            "origin_partition": one["_origin_partition"],
            "origin_offset": one["_origin_offset"],
        }
        for one in letters
    ]
    return _rows(topic, LetterState.DISCARDED, action_id, at, rows)


def _rows(
    topic: TopicIdentity,
    state: LetterState,
    action_id: str,
    at: datetime,
    rows: list[dict[str, Any]],
) -> pa.Table:
    common = {
        "_topic": topic.topic,
        "_topic_id": topic.topic_id,
        "state": state.value,
        "action_id": action_id,
        "at": at,
    }
    return pa.Table.from_pylist([common | row for row in rows], schema=DEAD_LETTER_STATE_SCHEMA)
