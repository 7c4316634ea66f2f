"""Records of a topic of dead letters."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from pipeline.dead_letters.look.masking import Mask
from pipeline.dead_letters.topic.plan import letter_key

KEY_HEADER = "headwater-key"
"""The record's own key; absent where it had none."""
RECORD_TIME_HEADER = "headwater-record-time"
REASON_HEADER = "headwater-reason"
DETAIL_HEADER = "headwater-detail"
AT_HEADER = "headwater-dead-letter-at"
"""When it became a dead letter; as the record time in ISO 8601, UTC."""


class TopicRecord(NamedTuple):
    """A record to send; `time_ms` since the epoch. A tombstone has no value."""

    partition: int
    key: bytes
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    time_ms: int | None


def letter_record(mask: Mask, row: Mapping[str, Any]) -> TopicRecord:
    """Return the record of a dead letter, a row of their table; what `mask` hides is left out of its detail.

    Its headers are its own, and then ours: of two of a name, the last counts. A value that is null is empty
    here, where null is a tombstone. Its time is when it became a dead letter: its own may be one that
    brokers refuse.
    """
    at: datetime = row["_ingested_at"]
    told = [
        (REASON_HEADER, row["reason"].encode()),
        (DETAIL_HEADER, mask.detail(row["detail"]).encode()),
        (AT_HEADER, at.isoformat().encode()),
        (RECORD_TIME_HEADER, row["_record_time"].isoformat().encode()),
    ]
    if row["record_key"] is not None:
        told.append((KEY_HEADER, row["record_key"]))
    own = [(one["key"], one["value"]) for one in row["headers"] or ()]
    return TopicRecord(
        partition=row["_topic_partition"],
        key=_key(row),
        value=row["record_value"] or b"",
        headers=(*own, *told),
        time_ms=round(at.timestamp() * 1000),
    )


def tombstone(row: Mapping[str, Any]) -> TopicRecord:
    """Return what takes the record of a dead letter from the topic."""
    return TopicRecord(row["_topic_partition"], _key(row), None, (), None)


def _key(row: Mapping[str, Any]) -> bytes:
    return letter_key(row["_topic_id"], row["_topic_partition"], row["_offset"])
