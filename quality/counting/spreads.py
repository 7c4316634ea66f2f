"""What there is of numbers in every hour of some rows: told by one query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain

from pyspark.sql import DataFrame
from pyspark.sql import functions as sf

from pipeline.tables.layout import HOUR_COLUMN
from quality.counting.hours import hour_at, seconds
from quality.reference_histogram import GRID, finite

Number = tuple[datetime, str]
"""A column in one hour."""


@dataclass(frozen=True)
class Spread:
    """What there is of a column in one hour.

    Attributes:
        hour: as Spark tells it; None where the hour has no row.
        values: that are not null.
        finite: those of `values` that are.
        quantiles: of these, at `GRID`; none without any.
    """

    hour: datetime | None = None
    values: int = 0
    finite: int = 0
    quantiles: Mapping[float, float] = field(default_factory=dict)


def spreads(rows: DataFrame, columns: Sequence[str]) -> Mapping[Number, Spread]:
    """Return what there is of each of `columns`, all numbers, in each hour that has rows. Reads once."""
    grid = sf.array(*map(sf.lit, GRID))
    told = (
        (
            sf.count(sf.col(name)).alias(f"values_{n}"),
            sf.count(finite(rows, name)).alias(f"finite_{n}"),
            sf.percentile(finite(rows, name), grid).alias(f"quantiles_{n}"),
        )
        for n, name in enumerate(columns)
    )
    hour = sf.max(HOUR_COLUMN).alias("hour")
    found: dict[Number, Spread] = {}
    by_hour = rows.groupBy(seconds().alias("at")).agg(hour, *chain.from_iterable(told))
    for row in by_hour.collect():
        for n, name in enumerate(columns):
            at = dict(zip(GRID, row[f"quantiles_{n}"] or (), strict=False))
            spread = Spread(row["hour"], row[f"values_{n}"], row[f"finite_{n}"], at)
            found[hour_at(row["at"]), name] = spread
    return found
