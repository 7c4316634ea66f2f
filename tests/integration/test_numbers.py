"""Numbers by hour: both implementations tell what a loop over them tells."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from random import Random
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from pipeline.clock import HOUR
from quality.counting.bins import BinCounts, Edges
from quality.counting.collected import CollectedNumbers
from quality.counting.numbers import MOST_COLLECTED, CountedNumbers, Numbers, numbers_of
from quality.counting.spreads import Spread
from quality.reference_histogram import GRID

FIRST = datetime(2026, 11, 1, 22, tzinfo=UTC)
HOURS = tuple(FIRST + n * HOUR for n in range(4))
SPECIAL = (math.nan, math.inf, -math.inf, -0.0, 0.0, None)


def rows() -> pa.Table:
    """Return numbers of three hours, none of the second: of few values, of many, of every kind."""
    draw, at = Random(3), []  # noqa: S311 - no secret
    columns: dict[str, list[Any]] = {"few": [], "many": [], "price": []}
    for hour, count in ((HOURS[0], 500), (HOURS[2], 41), (HOURS[3], 1)):
        for _ in range(count):
            at.append(hour)
            columns["few"].append(draw.choice((1, 1, 2, None)))
            columns["many"].append(draw.choice((*SPECIAL, *(draw.gauss(0, 9) for _ in range(12)))))
            columns["price"].append(Decimal(draw.randrange(1_000)).scaleb(-2))
    return pa.table(
        {
            "hour": pa.array(at, pa.timestamp("us", "UTC")),
            "few": pa.array(columns["few"], pa.int64()),
            "many": pa.array(columns["many"], pa.float64()),
            "price": pa.array(columns["price"], pa.decimal128(9, 2)),
            "nothing": pa.nulls(len(at), pa.float32()),
        }
    )


ROWS = rows()
COLUMNS = tuple(ROWS.column_names[1:])


def of(hour: datetime, column: str) -> list[float]:
    return [
        float(value)
        for at, value in zip(ROWS["hour"].to_pylist(), ROWS[column].to_pylist(), strict=True)
        if at == hour and value is not None
    ]


@pytest.fixture(params=["collected", "counted"])
def numbers(request: pytest.FixtureRequest, spark: SparkSession) -> Numbers:
    frame = spark.createDataFrame(ROWS).repartition(3)
    if request.param == "counted":
        return CountedNumbers(frame, COLUMNS)
    return CollectedNumbers.of(frame, COLUMNS)


def test_what_there_is_of_them(numbers: Numbers) -> None:
    found = numbers.spreads()
    assert set(found) == {(hour, name) for hour in HOURS if hour != HOURS[1] for name in COLUMNS}
    for (hour, name), spread in found.items():
        values = of(hour, name)
        finite = sorted(filter(math.isfinite, values))
        at = {p: quantile(finite, p) for p in GRID} if finite else {}
        local = hour.astimezone().replace(tzinfo=None)
        assert spread == Spread(local, len(values), len(finite), at)


def quantile(values: Sequence[float], p: float) -> float:
    position = p * (len(values) - 1)
    low, high = values[math.floor(position)], values[math.ceil(position)]
    if low == high:
        return low
    return (math.ceil(position) - position) * low + (position - math.floor(position)) * high


@pytest.mark.parametrize("edges", [(-3.0, 3.0), (0.0, 1.0, 2.0), (1.0, 1.5, 2.0, 5.25, 9.99)])
def test_how_many_lie_in_bins(numbers: Numbers, edges: tuple[float, ...]) -> None:
    wanted = {
        (hour, name): Edges(edges, edges[:2]) if name != "price" else Edges(after=edges)
        for hour in HOURS
        for name in COLUMNS
    }
    found = numbers.bins(wanted)
    assert found == {
        (hour, name): BinCounts(
            counted(of(hour, name), asked.now),
            counted(of(hour, name), asked.after),
            beyond(of(hour, name), asked.now),
        )
        for (hour, name), asked in wanted.items()
        if hour != HOURS[1]
    }


def counted(values: Sequence[float], edges: Sequence[float]) -> tuple[int, ...]:
    if not edges:
        return ()
    finite = list(filter(math.isfinite, values))
    inner = [
        sum(low <= one < high or (one == high == edges[-1]) for one in finite)
        for low, high in pairwise(edges)
    ]
    below, above = sum(one < edges[0] for one in finite), sum(one > edges[-1] for one in finite)
    return (below, *inner, above)


def beyond(values: Sequence[float], edges: Sequence[float]) -> tuple[int, int]:
    if not edges:
        return 0, 0
    above = sum(one > edges[-1] or math.isnan(one) for one in values)
    return sum(one < edges[0] for one in values), above


def test_very_many_stay_in_spark(spark: SparkSession) -> None:
    frame = spark.createDataFrame(ROWS)
    assert isinstance(numbers_of(frame, ["few"], MOST_COLLECTED), CollectedNumbers)
    assert isinstance(numbers_of(frame, ["few", "many"], MOST_COLLECTED), CountedNumbers)
