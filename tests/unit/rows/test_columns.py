"""Columns of texts: the type that they show, and the type that they are said to have."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.rows.columns import infer_type, instants, typed
from pipeline.rows.converted import ColumnError
from pipeline.rows.times import Day, Moment


@pytest.mark.parametrize(
    ("texts", "wanted"),
    [
        (["1", None, "-20", "0"], [1, None, -20, 0]),
        (["9223372036854775807"], [2**63 - 1]),
        (["0.5", "2", None, "-1012.25"], [0.5, 2.0, None, -1012.25]),
        (["true", "false", None], [True, False, None]),
        (["False", "True"], [False, True]),
    ],
)
def test_a_column_is_of_a_type_where_every_text_is_how_it_is_written(
    texts: list[str | None], wanted: list[Any]
) -> None:
    found = infer_type(pl.Series(texts, dtype=pl.String)).to_list()
    assert found == wanted
    assert [type(one) for one in found] == [type(one) for one in wanted]


@pytest.mark.parametrize(
    "texts",
    [
        ["00501", "10001"],
        ["1.50", "2.25"],
        ["+1", "2"],
        ["1e5", "2"],
        ["9223372036854775808", "1"],
        ["-0", "1"],
        [" 1", "2"],
        ["0.1234567890123456789"],
        ["12345678901234567890.5"],
        ["1_000"],
        ["true", "False"],
        ["TRUE", "FALSE"],
        ["yes", "no"],
        ["2026-01-01"],
        ["NaN"],
        ["inf", "0.5"],
        ["1", "", "2"],
        [None, None],
    ],
)
def test_a_text_that_is_written_otherwise_stays_with_its_whole_column(texts: list[Any]) -> None:
    column = pl.Series(texts, dtype=pl.String)
    assert infer_type(column).equals(column)
    assert infer_type(column).dtype == pl.String


@given(
    st.lists(st.none() | st.text("0123456789.-+e", max_size=4), max_size=4)
    | st.lists(st.integers(-(2**65), 2**65).map(str))
    | st.lists(st.floats(allow_nan=False).map(repr))
    | st.lists(st.sampled_from(["true", "false", "True", "False"]), max_size=3)
)
def test_no_digit_is_lost(texts: list[str | None]) -> None:
    found = infer_type(pl.Series(texts, dtype=pl.String))
    told = [
        one if one is None else str(one).removesuffix(".0") if isinstance(one, float) else str(one)
        for one in found.to_list()
    ]
    if found.dtype == pl.Boolean:
        assert [one and one.lower() for one in told] == [one and one.lower() for one in texts]
    else:
        assert told == texts


MILLIS = {"type": "long", "logicalType": "timestamp-millis"}
LOCAL = {"type": "long", "logicalType": "local-timestamp-micros"}
MONEY = {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}
SMALL = {"type": "fixed", "name": "S", "size": 4, "logicalType": "decimal", "precision": 9}


@pytest.mark.parametrize(
    ("schema", "value", "wanted"),
    [
        ("string", "00501", "00501"),
        (["null", "string"], "00501", "00501"),
        ("int", "-7", -7),
        ("long", "9007199254740993", 9007199254740993),
        ("double", "0.1", 0.1),
        ("boolean", "true", True),
        ("bytes", "\xff", b"\xff"),
        (MONEY, "1.5", Decimal("1.50")),
        (MONEY, Decimal("-1234567.89"), Decimal("-1234567.89")),
        (SMALL, "7", Decimal(7)),
        ({"type": "int", "logicalType": "date"}, "2026-03-01", date(2026, 3, 1)),
        ({"type": "int", "logicalType": "date"}, Day(0), date(1970, 1, 1)),
        ({"type": "int", "logicalType": "time-millis"}, "10:00:00.5", time(10, 0, 0, 500_000)),
        (MILLIS, "2026-03-01T01:00:00+01:00", datetime(2026, 3, 1, tzinfo=UTC)),
        (MILLIS, Moment(1_000_000, 10**9), datetime(1970, 1, 1, 0, 0, 0, 1000, tzinfo=UTC)),
        (LOCAL, "2026-03-01 00:00:00.000001", datetime(2026, 3, 1, 0, 0, 0, 1)),  # noqa: DTZ001
        ({"type": "enum", "name": "E", "symbols": ["NA", "B"]}, "NA", "NA"),
        ({"type": "string", "logicalType": "decimal", "precision": 4}, "01", "01"),
    ],
)
def test_a_value_becomes_one_of_its_type(schema: Any, value: Any, wanted: Any) -> None:
    found = typed([value, None, value], schema).to_list()
    assert found == [wanted, None, wanted]


@pytest.mark.parametrize(
    ("schema", "value", "problem"),
    [
        ("int", "x", "'x' is not a number"),
        ("int", "2147483648", "too large"),
        ("long", "1.5", "not a whole number"),
        (MONEY, "1.234", "more than 2 digits after the point"),
        (MILLIS, "2026-03-01T00:00:00.0001", "finer than milliseconds"),
        ({"type": "enum", "name": "E", "symbols": ["A"]}, "B", "not one of A"),
    ],
)
def test_a_value_that_does_not_fit_is_told_with_its_row(
    schema: Any, value: str, problem: str
) -> None:
    with pytest.raises(ColumnError, match=rf"{problem}.*\(1 more like it\)") as caught:
        typed([None, value, None, value], schema)
    assert caught.value.row == 1


@pytest.mark.parametrize(
    "value",
    [
        "2026-03-02",
        "20260302",
        "2026-03-02T00:00",
        "2026-03-02 00:00:00",
        "2026-03-02T02:00:00.000+02:00",
        "20260302T000000Z",
        "2026-W10-1",
        Day(20_514),
        Moment(20_514 * 86_400, 1),
        Moment(20_514 * 86_400 * 10**9, 10**9, "Asia/Tokyo"),
    ],
)
def test_dates_and_times_of_any_form_are_instants(value: Any) -> None:
    assert instants([value]).to_list() == [datetime(2026, 3, 2, tzinfo=UTC)]


@pytest.mark.parametrize("value", ["soon", "2026-13-01", 5, 1.5, Moment(1, 10**9), "10:00"])
def test_what_is_no_instant_is_told(value: Any) -> None:
    with pytest.raises(ColumnError):
        instants([value])
