"""The record gates, in columns: who may become a row, and who is late."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from pipeline.contract.model import Gates
from pipeline.ingest.transform.origins import ORIGIN_TIME
from pipeline.ingest.transform.records import Reason
from pipeline.kafka.records import FIRST, LAST, NO_TIMESTAMP


@dataclass(frozen=True)
class Gated:
    """A batch after the gates.

    Attributes:
        frame: what passed, with the column `_late`.
        refused: `__row`, `reason` and `detail` of what did not.
    """

    frame: pl.DataFrame
    refused: pl.DataFrame


def gate(frame: pl.DataFrame, gates: Gates) -> Gated:
    """Apply the freshness gate: record time - event time, in seconds, against `gates`.

    A record without a timestamp, or with one outside years 1 to 9999, cannot be judged, and is refused. What
    is replayed is never too old, and late as it was when it came first.
    """
    delta = _seconds(pl.col("_record_time"))
    came, replayed = delta, pl.lit(value=False)
    if ORIGIN_TIME in frame.columns:
        came = _seconds(pl.coalesce(ORIGIN_TIME, "_record_time"))
        replayed = pl.col(ORIGIN_TIME).is_not_null()
    oldest = gates.freshness_s if gates.late_s is None else gates.late_s
    time = pl.col("_record_time").dt.epoch("us")
    reason = (
        pl.when(time == NO_TIMESTAMP)
        .then(pl.lit(Reason.NO_TIMESTAMP.value))
        .when((time < FIRST) | (time > LAST))
        .then(pl.lit(Reason.OUT_OF_RANGE.value))
        .when(delta < -gates.ahead_s)
        .then(pl.lit(Reason.AHEAD.value))
        .when(~replayed & (delta > oldest))
        .then(pl.lit(Reason.STALE.value))
    )
    judged = frame.with_columns(_late=came > gates.freshness_s, __reason=reason)
    refused = judged.filter(pl.col("__reason").is_not_null()).select(
        "__row",
        reason="__reason",
        detail=pl.when(pl.col("__reason") == Reason.NO_TIMESTAMP.value)
        .then(pl.lit("the record has no timestamp"))
        .when(pl.col("__reason") == Reason.OUT_OF_RANGE.value)
        .then(pl.format("the record's timestamp is {} ms, outside years 1 to 9999", time // 1000))
        .otherwise(pl.format("record time - event time is {} s", delta.round(3))),
    )
    passed = judged.drop("__reason")
    if not refused.is_empty():
        passed = judged.filter(pl.col("__reason").is_null()).drop("__reason")
    return Gated(passed, refused)


def _seconds(record_time: pl.Expr) -> pl.Expr:
    """Return how long after its event time a record came."""
    return (record_time - pl.col("_event_time")).dt.total_microseconds() / 1e6
