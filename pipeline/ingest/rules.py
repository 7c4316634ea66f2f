"""Business rules, in columns: how many rows break which. The rows are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandera.errors
import pandera.polars as pa_polars
import polars as pl


@dataclass(frozen=True)
class Broken:
    """What a batch breaks: how many rows by rule, and the numbers of the rows that break any."""

    by_rule: Mapping[str, int]
    rows: pl.Series


def broken_rules(frame: pl.DataFrame, rules: pa_polars.DataFrameSchema) -> Broken:
    """Return what `frame` breaks of `rules`, as pandera finds it. Nulls break nothing."""
    judged = [name for name, column in rules.columns.items() if column.checks]
    if not judged or frame.is_empty():
        return Broken({}, pl.Series(dtype=pl.UInt32))
    try:
        rules.validate(frame.select(judged), lazy=True)
    except pandera.errors.SchemaErrors as errors:
        cases = errors.failure_cases
        counts = cases.group_by("column", "check").len()
        by_rule = {f"{column}: {check}": n for column, check, n in counts.sort("column").rows()}
        return Broken(by_rule, cases.get_column("index").unique().cast(pl.UInt32))
    return Broken({}, pl.Series(dtype=pl.UInt32))
