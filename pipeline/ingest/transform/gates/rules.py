"""Business rules, in columns: how many rows break which. The rows are kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from pipeline.contract.targets.rules import CompiledRule


@dataclass(frozen=True)
class RuleViolations:
    """What a batch breaks: how many rows by rule, and the numbers of the rows that break any."""

    by_rule: Mapping[str, int]
    rows: pl.Series


def broken_rules(frame: pl.DataFrame, rules: Sequence[CompiledRule]) -> RuleViolations:
    """Return what `frame` breaks of `rules`. Nulls break nothing; NaN breaks what compares it."""
    if not rules or frame.is_empty():
        return RuleViolations({}, pl.Series(dtype=pl.UInt32))
    judged = frame.select(rule.broken.alias(str(number)) for number, rule in enumerate(rules))
    counts: Counter[str] = Counter()
    for rule, broken in zip(rules, judged.iter_columns(), strict=True):
        counts[rule.label] += int(broken.sum())
    rows = judged.select(pl.any_horizontal(pl.all()).arg_true().cast(pl.UInt32)).to_series()
    return RuleViolations({label: count for label, count in sorted(counts.items()) if count}, rows)
