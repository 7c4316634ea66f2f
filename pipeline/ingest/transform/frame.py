"""A micro-batch in columns: where records stood, what their headers say, and rows of dead letters."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from pipeline.avro.arrow import UTC_MICROS
from pipeline.ingest.transform.origins import origin_of
from pipeline.ingest.transform.records import DeadLetter
from pipeline.kafka.framing import KEPT_HEADERS
from pipeline.kafka.identity import TopicIdentity
from pipeline.kafka.records import FIRST, LAST, RawRecord, Records
from pipeline.rows.frames import to_frame
from pipeline.tables import layout

ROW = "__row"
"""Number of each event's record in the batch: the hidden column that ties columns back to records."""


def record_columns(
    records: Records,
    rows: npt.NDArray[np.int64],
    identity: TopicIdentity,
    run_id: str,
    ingested_at: datetime,
) -> pl.DataFrame:
    """Return, of the records numbered `rows`: coordinates, times, `_run_id`, `__record_key`, `__row`."""
    frame = pl.DataFrame(
        {
            "_topic_partition": records.partition[rows],
            "_offset": records.offset[rows],
            "_record_time": pl.Series(records.time[rows]).cast(pl.Datetime("us", "UTC")),
            "__record_key": to_frame(
                pa.table([records.text(records.keys[rows])], ["k"])
            ).to_series(),
            ROW: rows,
        }
    )
    return frame.with_columns(
        pl.lit(identity.topic).alias("_topic"),
        pl.lit(identity.topic_id).alias("_topic_id"),
        pl.lit(run_id).alias("_run_id"),
        pl.lit(ingested_at).cast(pl.Datetime("us", "UTC")).alias("_ingested_at"),
    )


def header_columns(records: Records, rows: npt.NDArray[np.int64]) -> pl.DataFrame:
    """Return the columns that are kept of the headers of the records numbered `rows`."""
    return pl.DataFrame(
        {f"_{name}": _text(records.header(name, rows)) for name in KEPT_HEADERS},
        schema={f"_{name}": pl.String for name in KEPT_HEADERS},
    )


def dead_letter_rows(
    dead_letters: Sequence[DeadLetter], identity: TopicIdentity, run_id: str, ingested_at: datetime
) -> pa.Table:
    """Return one row a dead letter: the record's own bytes, its coordinates and the reason."""
    records: list[RawRecord] = [dead_letter.record for dead_letter in dead_letters]
    origins = [origin_of(record, identity) for record in records]
    n = len(records)
    schema = layout.DEAD_LETTER_SCHEMA
    columns = {
        "_topic": pa.repeat(identity.topic, n),
        "_topic_id": pa.repeat(identity.topic_id, n),
        "_topic_partition": pa.array([r.partition for r in records], pa.int32()),
        "_offset": pa.array([r.offset for r in records], pa.int64()),
        # A time that readers cannot have is told by the detail.
        "_record_time": pa.array(
            [min(max(r.record_time, FIRST), LAST) for r in records], UTC_MICROS
        ),
        "_ingested_at": pa.repeat(pa.scalar(ingested_at, UTC_MICROS), n),
        "_run_id": pa.repeat(run_id, n),
        "reason": pa.array([dead_letter.reason.value for dead_letter in dead_letters], pa.string()),
        "detail": pa.array(
            [_readable(dead_letter.detail) for dead_letter in dead_letters], pa.string()
        ),
        "record_key": pa.array([r.key for r in records], pa.binary()),
        "record_value": pa.array([r.value for r in records], pa.binary()),
        "headers": pa.array(
            [[{"key": k, "value": v} for k, v in r.headers] for r in records],
            schema.field("headers").type,
        ),
        "_replay_id": pa.array([one and one.replay_id for one in origins], pa.string()),
        "_origin_partition": pa.array([one and one.partition for one in origins], pa.int32()),
        "_origin_offset": pa.array([one and one.offset for one in origins], pa.int64()),
    }
    return pa.table(columns, schema=schema)


def _readable(text: str) -> str:
    """Return `text` as a table can hold it: what is said of a record may quote half a character."""
    return text.encode("utf-8", "replace").decode()


def _text(column: pa.Array) -> pl.Series:
    raw = to_frame(pa.table([column], ["h"])).to_series()
    try:
        return raw.cast(pl.String)
    except pl.exceptions.ComputeError:
        # Not UTF-8 somewhere: what can be read of it is kept.
        return pl.Series(
            [None if value is None else value.decode("utf-8", "replace") for value in raw],
            dtype=pl.String,
        )
