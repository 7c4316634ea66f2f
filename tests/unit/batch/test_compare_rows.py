"""Rows that a unit test expects, against those that came out."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import types as spark

from pipeline.batch.unit_tests.compare import Differences, compare
from pipeline.batch.unit_tests.run import _within
from pipeline.batch.unit_tests.values import BadValueError, same, spark_value

RECORD = spark.StructType().add("name", spark.StringType()).add("count", spark.IntegerType())
SMALL = st.integers(0, 2)


@given(
    st.lists(st.fixed_dictionaries({}, optional={"a": SMALL, "b": SMALL}), max_size=4),
    st.lists(st.fixed_dictionaries({"a": SMALL, "b": SMALL}), max_size=4),
)
def test_as_many_rows_have_a_partner_as_in_the_best_of_all_ways(
    expected: list[dict[str, int]], found: list[dict[str, int]]
) -> None:
    told = compare(expected, found)
    assert len(expected) - len(told.missing) == len(found) - len(told.unexpected)
    assert len(expected) - len(told.missing) == best(expected, found)


def best(expected: Sequence[dict[str, int]], found: Sequence[dict[str, int]]) -> int:
    places: list[int | None] = [*range(len(found)), *(None for _ in expected)]
    return max(
        sum(
            place is not None and expected[row].items() <= found[place].items()
            for row, place in enumerate(way)
        )
        for way in itertools.permutations(places, len(expected))
    )


def test_rows_are_in_no_order_and_as_many_as_they_are() -> None:
    twice = [{"a": 1}, {"a": 1}]
    assert compare([{"a": 1}, {"a": 2}], [{"a": 2}, {"a": 1}]) == Differences()
    assert compare(twice, twice[:1]) == Differences(missing=(1,))
    assert compare(twice[:1], twice) == Differences(unexpected=(1,))


def test_doubles_are_equal_to_the_last_digit_unless_a_tolerance_is_given() -> None:
    assert not same(0.3, 0.1 + 0.2, 0.0)
    assert same([{"a": 0.3}], [{"a": 0.1 + 0.2}], 1e-9)
    assert same(float("nan"), float("nan"), 0.0)
    assert not same(None, 0.0, 1.0)


@pytest.mark.parametrize(
    ("type_", "value", "meant"),
    [
        (spark.DoubleType(), 3, 3.0),
        (spark.DecimalType(10, 2), 12.5, Decimal("12.50")),
        (spark.DecimalType(10, 2), "12.34", Decimal("12.34")),
        (spark.TimestampType(), "2026-01-01T05", datetime(2026, 1, 1, 5, tzinfo=UTC)),
        (spark.TimestampType(), date(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC)),
        (spark.DateType(), "2026-01-01", date(2026, 1, 1)),
        (spark.BinaryType(), "00ff", b"\x00\xff"),
        (RECORD, {"name": "a"}, {"name": "a", "count": None}),
        (spark.ArrayType(RECORD), [{"count": 1}, None], [{"name": None, "count": 1}, None]),
        (spark.MapType(spark.IntegerType(), spark.StringType()), {"1": "a"}, {1: "a"}),
    ],
)
def test_yaml_stands_for_a_value_of_a_columns_type(
    type_: spark.DataType, value: Any, meant: Any
) -> None:
    assert spark_value(value, type_) == meant
    assert spark_value(None, type_) is None


@pytest.mark.parametrize(
    ("type_", "value", "place"),
    [
        (spark.IntegerType(), 2**31, ()),
        (spark.LongType(), True, ()),
        (spark.LongType(), 1.0, ()),
        (spark.DoubleType(), "1", ()),
        (spark.StringType(), 7, ()),
        (spark.BooleanType(), "yes", ()),
        (spark.DecimalType(4, 2), "100", ()),
        (spark.DecimalType(4, 2), 0.125, ()),
        (spark.TimestampType(), "yesterday", ()),
        (spark.BinaryType(), "xyz", ()),
        (RECORD, {"nam": "a"}, ("nam",)),
        (RECORD, ["a"], ()),
        (spark.ArrayType(RECORD), [{"count": "many"}], (0, "count")),
    ],
)
def test_what_stands_for_none_is_told_with_its_place(
    type_: spark.DataType, value: Any, place: tuple[str | int, ...]
) -> None:
    with pytest.raises(BadValueError) as error:
        spark_value(value, type_)
    assert error.value.loc == place


def test_an_event_time_may_lie_within_a_record() -> None:
    at = datetime(2026, 1, 1, 5, 30, tzinfo=UTC)
    assert _within({"at": at}, "At") == at
    assert _within({"order": {"placed": {"at": at}}}, "order.placed.at") == at
    assert _within({"order": {"placed": None}}, "order.placed.at") is None
    assert _within({}, "order.placed.at") is None
