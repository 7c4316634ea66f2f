"""A decoded micro-batch in columns, and the Arrow tables that are written from it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import polars as pl
import pyarrow as pa

from pipeline.ingest.model import DeadLetter, Decoded, RawRecord
from pipeline.kafka.topics import TopicIdentity
from pipeline.tables import layout

ROW = "__row"
"""Position of each event in the batch: the hidden column that ties columns back to records."""


def event_frame(
    decoded: Decoded,
    payload_columns: pa.Schema,
    identity: TopicIdentity,
    run_id: str,
    ingested_at: datetime,
) -> pl.DataFrame:
    """Return one row a decoded event: layout.EVENT_COLUMNS but `_late`, payload columns, `__row`."""
    records = decoded.records
    n = len(records)
    headers = [dict(record.headers) for record in records]
    columns: dict[str, pa.Array] = {
        "_topic": pa.repeat(identity.topic, n),
        "_topic_id": pa.repeat(identity.topic_id, n),
        "_topic_partition": pa.array([r.partition for r in records], pa.int32()),
        "_offset": pa.array([r.offset for r in records], pa.int64()),
        "_record_time": pa.array([r.record_time for r in records], layout.UTC_MICROS),
        "_ingested_at": pa.repeat(pa.scalar(ingested_at, layout.UTC_MICROS), n),
        "_run_id": pa.repeat(run_id, n),
        "_uuid": pa.array(decoded.uuid, pa.string()),
        "_key": pa.array(decoded.key, pa.string()),
        "_event_time": pa.array(decoded.event_time, layout.UTC_MICROS),
        "_schema_version": pa.array(decoded.schema_version, pa.int32()),
    }
    for header, column in (
        ("traceparent", "_traceparent"),
        ("producer", "_producer"),
        ("job_id", "_job_id"),
    ):
        columns[column] = pa.array([_text(h.get(header)) for h in headers], pa.string())
    payload = pa.Table.from_pylist(decoded.payload, schema=payload_columns)
    for name in payload_columns.names:
        columns[name] = payload.column(name)
    columns[ROW] = pa.array(range(n), pa.int64())
    frame = pl.from_arrow(pa.table(columns))
    if not isinstance(frame, pl.DataFrame):
        raise TypeError("a table becomes a frame")
    return frame


def event_rows(frame: pl.DataFrame, columns: pa.Schema) -> pa.Table:
    """Return `frame` with exactly the events table's `columns`, in event-time order."""
    ordered = frame.sort("_event_time", "_topic_partition", "_offset")
    return ordered.select(columns.names).to_arrow().cast(columns)


def letter_rows(
    letters: Sequence[DeadLetter], identity: TopicIdentity, run_id: str, ingested_at: datetime
) -> pa.Table:
    """Return one row a dead letter: the record's own bytes, its coordinates and the reason."""
    records: list[RawRecord] = [letter.record for letter in letters]
    n = len(records)
    schema = layout.DEAD_LETTER_SCHEMA
    columns = {
        "_topic": pa.repeat(identity.topic, n),
        "_topic_id": pa.repeat(identity.topic_id, n),
        "_topic_partition": pa.array([r.partition for r in records], pa.int32()),
        "_offset": pa.array([r.offset for r in records], pa.int64()),
        "_record_time": pa.array([r.record_time for r in records], layout.UTC_MICROS),
        "_ingested_at": pa.repeat(pa.scalar(ingested_at, layout.UTC_MICROS), n),
        "_run_id": pa.repeat(run_id, n),
        "reason": pa.array([letter.reason.value for letter in letters], pa.string()),
        "detail": pa.array([letter.detail for letter in letters], pa.string()),
        "record_key": pa.array([r.key for r in records], pa.binary()),
        "record_value": pa.array([r.value for r in records], pa.binary()),
        "headers": pa.array(
            [[{"key": k, "value": v} for k, v in r.headers] for r in records],
            schema.field("headers").type,
        ),
    }
    return pa.table(columns, schema=schema)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "replace")
