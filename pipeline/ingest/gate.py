"""The record gates, in columns: who may become a row, who is late, who breaks a business rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandera.errors
import pandera.polars as pa_polars
import polars as pl

from pipeline.contract.model import Gates
from pipeline.ingest.model import Reason


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
    """Apply the freshness gate: record time - event time, in seconds, against `gates`."""
    delta = (pl.col("_record_time") - pl.col("_event_time")).dt.total_microseconds() / 1e6
    oldest = gates.freshness_s if gates.late_s is None else gates.late_s
    reason = (
        pl.when(delta < -gates.ahead_s)
        .then(pl.lit(Reason.AHEAD.value))
        .when(delta > oldest)
        .then(pl.lit(Reason.STALE.value))
    )
    judged = frame.with_columns(
        _late=delta > gates.freshness_s, __reason=reason, __delta=delta.round(3)
    )
    refused = judged.filter(pl.col("__reason").is_not_null()).select(
        "__row",
        reason="__reason",
        detail=pl.format("record time - event time is {} s", "__delta"),
    )
    passed = judged.filter(pl.col("__reason").is_null()).drop("__reason", "__delta")
    return Gated(passed, refused)


def broken_rules(frame: pl.DataFrame, rules: pa_polars.DataFrameSchema) -> Mapping[str, int]:
    """Return rule -> rows of `frame` that break it, for those that are broken. Rows are kept."""
    try:
        rules.validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as errors:
        cases = errors.failure_cases
        counts = cases.group_by("column", "check").len()
        return {f"{column}: {check}": rows for column, check, rows in counts.sort("column").rows()}
    return {}
