"""Business rules, in columns: how many rows break which. The rows are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandera.errors
import pandera.polars as pa_polars
import polars as pl


@dataclass(frozen=True)
class Broken:
    """What a batch breaks: rows by rule, and rows that break any."""

    by_rule: Mapping[str, int]
    rows: int


NOTHING: Broken = Broken({}, 0)


def broken_rules(frame: pl.DataFrame, rules: pa_polars.DataFrameSchema) -> Broken:
    """Return what `frame` breaks of `rules`, as pandera finds it. Nulls break nothing."""
    judged = [name for name, column in rules.columns.items() if column.checks]
    if not judged or frame.is_empty():
        return NOTHING
    try:
        rules.validate(frame.select(judged), lazy=True)
    except pandera.errors.SchemaErrors as errors:
        cases = errors.failure_cases
        counts = cases.group_by("column", "check").len()
        by_rule = {f"{column}: {check}": n for column, check, n in counts.sort("column").rows()}
        return Broken(by_rule, cases.get_column("index").n_unique())
    return NOTHING
