"""Business rules: what they count, against a count in plain Python that shares no code with them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contract.model import Rule
from pipeline.contract.targets.predicates import RuleError
from pipeline.contract.targets.rules import compile_rule, polars_type
from pipeline.ingest.transform.gates.rules import broken_rules

INSTANT = pa.timestamp("us", tz="UTC")
LOCAL = pa.timestamp("us")


@dataclass(frozen=True)
class Kind:
    """A column's type, values that it may hold, and arguments as a contract may write them."""

    type: pa.DataType
    values: st.SearchStrategy[Any]
    arguments: st.SearchStrategy[Any]
    read: Callable[[Any], Any] = lambda raw: raw


def _to_float32(value: float) -> float:
    return float(pa.scalar(value, pa.float32()).as_py())


def _to_instant(raw: Any) -> datetime:
    moment = datetime.fromisoformat(raw) if isinstance(raw, str) else raw
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


NUMBERS = st.one_of(
    st.integers(-5, 5), st.sampled_from([0.5, -0.5, 2.0, 1e15, -(2**62), 2**53 + 1])
)
MOMENTS = st.sampled_from(
    [
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(2026, 6, 1, tzinfo=UTC),
        datetime(2026, 6, 1, 0, 0, 0, 1, UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC),
    ]
)
KINDS = {
    "int": Kind(pa.int32(), st.one_of(st.integers(-6, 6), st.just(2**31 - 1)), NUMBERS),
    "long": Kind(
        pa.int64(),
        st.one_of(st.integers(-6, 6), st.sampled_from([2**53, 2**53 + 1, 2**53 + 2, -(2**63)])),
        NUMBERS,
    ),
    "float": Kind(
        pa.float32(), st.floats(width=32), st.floats(-9, 9).map(lambda x: round(x, 2)), _to_float32
    ),
    "double": Kind(pa.float64(), st.floats(), st.one_of(st.integers(-9, 9), st.floats(-9, 9))),
    "decimal": Kind(
        pa.decimal128(9, 2),
        st.decimals(-9, 9, places=2),
        st.one_of(st.integers(-9, 9), st.sampled_from([0.1, 1.005, "2.50", "-0.001"])),
        lambda raw: Decimal(str(raw)),
    ),
    "string": Kind(
        pa.string(), st.sampled_from(["", "a", "aa", "b", "é", "🙂", "\x00"]), st.text(max_size=2)
    ),
    "date": Kind(
        pa.date32(),
        st.dates(date(2026, 1, 1), date(2026, 1, 5)) | st.sampled_from([date.min, date.max]),
        st.dates(date(2026, 1, 1), date(2026, 1, 5)) | st.just("2026-01-03"),
        lambda raw: date.fromisoformat(raw) if isinstance(raw, str) else raw,
    ),
    "timestamp": Kind(
        INSTANT,
        MOMENTS,
        MOMENTS | st.sampled_from(["2026-06-01T02:00:00+02:00", "2026-06-01"]),
        _to_instant,
    ),
}
COMPARISONS: dict[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "equal_to": ("value", lambda x, y: bool(x == y)),
    "not_equal_to": ("value", lambda x, y: bool(x != y)),
    "greater_than": ("min_value", lambda x, y: bool(x > y)),
    "greater_than_or_equal_to": ("min_value", lambda x, y: bool(x >= y)),
    "less_than": ("max_value", lambda x, y: bool(x < y)),
    "less_than_or_equal_to": ("max_value", lambda x, y: bool(x <= y)),
}


def frame(type_: pa.DataType, values: list[Any]) -> pl.DataFrame:
    """Return the column `c` as ingest has it: from Arrow."""
    made = pl.from_arrow(pa.table([pa.array(values, type_)], ["c"]))
    assert isinstance(made, pl.DataFrame)
    return made


def judge(type_: pa.DataType, values: list[Any], check: str, **arguments: Any) -> list[int]:
    """Return the numbers of the values that break the check; the count by rule must agree."""
    rule = compile_rule(Rule(column="c", check=check, arguments=arguments), type_)
    broken = broken_rules(frame(type_, values), [rule])
    rows = broken.rows.to_list()
    assert broken.by_rule == ({rule.label: len(rows)} if rows else {})
    return rows


def by_hand(values: list[Any], holds: Callable[[Any], bool]) -> list[int]:
    return [row for row, value in enumerate(values) if value is not None and not holds(value)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("check", COMPARISONS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_comparison_counts_as_python_compares(kind: str, check: str, data: st.DataObject) -> None:
    """Exactly: no number is taken for another because it is far from 0, and NaN compares with nothing."""
    column = KINDS[kind]
    values = data.draw(st.lists(st.none() | column.values, max_size=8))
    raw = data.draw(column.arguments)
    argument, compare = COMPARISONS[check]
    try:
        rows = judge(column.type, values, check, **{argument: raw})
    except RuleError as error:
        refused = str(error)
    else:
        bound = column.read(raw)
        assert rows == by_hand(values, lambda value: compare(value, bound))
        return
    # Only what no value can equal.
    assert "decimal places" in refused
    assert check in ("equal_to", "not_equal_to")


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_ranges_and_lists_count_as_python_does(kind: str, data: st.DataObject) -> None:
    column = KINDS[kind]
    values = data.draw(st.lists(st.none() | column.values, max_size=8))
    raw = data.draw(st.lists(column.arguments, min_size=2, max_size=3))
    listed = [column.read(one) for one in raw]
    low, high = raw[0], raw[1]
    wide = {"include_min": data.draw(st.booleans()), "include_max": data.draw(st.booleans())}

    def within(value: Any) -> bool:
        above = value >= listed[0] if wide["include_min"] else value > listed[0]
        return bool(above and (value <= listed[1] if wide["include_max"] else value < listed[1]))

    try:
        rows = judge(column.type, values, "in_range", min_value=low, max_value=high, **wide)
    except RuleError:
        assert not any(value is not None and within(value) for value in values)
    else:
        assert rows == by_hand(values, within)
    try:
        rows = judge(column.type, values, "isin", allowed_values=raw)
    except RuleError as error:
        refused = str(error)
    else:
        assert rows == by_hand(values, lambda value: value in listed)
        rows = judge(column.type, values, "notin", forbidden_values=raw)
        assert rows == by_hand(values, lambda value: value not in listed)
        return
    assert "decimal places" in refused


@settings(max_examples=50, deadline=None)
@given(st.lists(st.none() | st.text(max_size=6), max_size=8), st.text(max_size=2))
def test_checks_of_text_count_as_python_does(values: list[str | None], text: str) -> None:
    column = pa.string()
    assert judge(column, values, "str_startswith", string=text) == by_hand(
        values, lambda value: value.startswith(text)
    )
    assert judge(column, values, "str_endswith", string=text) == by_hand(
        values, lambda value: value.endswith(text)
    )
    assert judge(column, values, "str_length", min_value=1, max_value=3) == by_hand(
        values, lambda value: 1 <= len(value) <= 3
    )
    assert judge(column, values, "str_length", exact_value=2) == by_hand(
        values, lambda value: len(value) == 2
    )


@pytest.mark.parametrize("pattern", ["a|b", "^a", "a+$", "[0-9]{2}", "(?i)A", r"\Aa", ""])
@settings(max_examples=20, deadline=None)
@given(values=st.lists(st.none() | st.text("aAb01\n", max_size=4), max_size=8))
def test_patterns_count_as_pythons_own(pattern: str, values: list[str | None]) -> None:
    """A match of the whole pattern at the text's start: of `a|b` neither may stand elsewhere."""
    python = re.compile(pattern.replace("$", r"\Z"))
    assert judge(pa.string(), values, "str_matches", pattern=pattern) == by_hand(
        values, lambda value: python.match(value) is not None
    )
    assert judge(pa.string(), values, "str_contains", pattern=pattern) == by_hand(
        values, lambda value: python.search(value) is not None
    )


def test_booleans_are_compared_with_booleans() -> None:
    values = [True, False, None]
    assert judge(pa.bool_(), values, "equal_to", value=True) == [1]
    assert judge(pa.bool_(), values, "isin", allowed_values=[True, False]) == []


def test_nan_breaks_every_comparison_but_being_another() -> None:
    values = [math.nan, -0.0, math.inf, None]
    assert judge(pa.float64(), values, "greater_than", min_value=-1) == [0]
    assert judge(pa.float64(), values, "less_than", max_value=1) == [0, 2]
    assert judge(pa.float64(), values, "not_equal_to", value=1) == []
    assert judge(pa.float64(), values, "isin", allowed_values=[0]) == [0, 2]


def test_a_long_text_is_judged_like_any_other() -> None:
    values = ["x" * 1_000_000, ""]
    assert judge(pa.string(), values, "str_length", max_value=999_999) == [0]
    assert judge(pa.string(), values, "str_matches", pattern="(x+x+)+y") == [0, 1]


def test_local_times_are_compared_as_they_are_written() -> None:
    values = [datetime(2026, 6, 1), datetime(2026, 6, 1) - timedelta(microseconds=1)]  # noqa: DTZ001
    assert judge(LOCAL, values, "greater_than_or_equal_to", min_value="2026-06-01T00:00:00") == [1]


def test_rules_of_one_row_are_counted_each_and_the_row_once() -> None:
    rules = [
        compile_rule(Rule(column="c", check=check, arguments=arguments), pa.int32())
        for check, arguments in (
            ("greater_than", {"min_value": 0}),
            ("isin", {"allowed_values": [1, 2]}),
        )
    ]
    broken = broken_rules(frame(pa.int32(), [-1, 1, 5, None]), rules)
    assert broken.by_rule == {"c: greater_than(0)": 1, "c: isin([1, 2])": 2}
    assert broken.rows.to_list() == [0, 2]


def test_an_empty_batch_breaks_nothing() -> None:
    assert judge(pa.int32(), [], "equal_to", value=1) == []


NESTED = pa.struct([("a", pa.int32())])
MISFITS: list[tuple[pa.DataType, str, dict[str, Any], str, str]] = [
    (pa.int32(), "in_range", {"min_value": "0", "max_value": 9}, "min_value", "a number, not '0'"),
    (pa.int32(), "in_range", {"min_value": 9, "max_value": 0}, "max_value", "holds a value"),
    (pa.int32(), "in_range", {"min_value": 0.1, "max_value": 0.9}, "max_value", "holds a value"),
    (pa.int32(), "equal_to", {"value": 0.5}, "value", "0 decimal places at most"),
    (pa.int32(), "equal_to", {"value": True}, "value", "a number, not True"),
    (pa.int32(), "equal_to", {"value": None}, "value", "nulls break no rule"),
    (pa.int32(), "greater_than", {"min_value": math.inf}, "min_value", "a finite number"),
    (pa.int32(), "greater_than", {"min_value": 10**30}, "min_value", "at most 64 bits"),
    (pa.int32(), "less_than", {"max_value": 1e300}, "max_value", "digits before its point"),
    (pa.float64(), "less_than", {"max_value": math.nan}, "max_value", "a finite number"),
    (pa.float64(), "less_than", {"max_value": 10**400}, "max_value", "a finite number"),
    (pa.float32(), "less_than", {"max_value": 1e39}, "max_value", "the column can hold"),
    (pa.decimal128(9, 2), "equal_to", {"value": "1.005"}, "value", "2 decimal places"),
    (pa.decimal128(9, 2), "equal_to", {"value": "one"}, "value", "a number, not 'one'"),
    (pa.decimal128(9, 2), "equal_to", {"value": "NaN"}, "value", "a finite number"),
    (pa.string(), "isin", {"allowed_values": ["a", 1]}, "allowed_values", "a text, in quotes"),
    (pa.string(), "isin", {"allowed_values": "abc"}, "allowed_values", "a list of values"),
    (pa.string(), "isin", {"allowed_values": []}, "allowed_values", "at least one value"),
    (pa.string(), "isin", {"allowed_values": ["a", None]}, "allowed_values", "nulls break no rule"),
    (pa.string(), "greater_than", {"min_value": 5}, "min_value", "a text"),
    (pa.string(), "str_matches", {"pattern": "("}, "pattern", "unclosed group"),
    (pa.string(), "str_matches", {"pattern": "^(?!b)"}, "pattern", "look-ahead"),
    (pa.string(), "str_contains", {"pattern": r"(a)\1"}, "pattern", "backreferences"),
    (pa.string(), "str_contains", {"pattern": "a{99999999}"}, "pattern", "size limit"),
    (pa.string(), "str_contains", {"pattern": 5}, "pattern", "a regular expression, not 5"),
    (pa.string(), "str_startswith", {"string": 5}, "string", "a text"),
    (pa.string(), "str_length", {}, "", "min_value, max_value or exact_value"),
    (pa.string(), "str_length", {"min_value": 2, "max_value": 1}, "", "the least first"),
    (pa.string(), "str_length", {"max_value": -1}, "", "the least first"),
    (pa.string(), "str_length", {"exact_value": 1, "max_value": 2}, "exact_value", "either"),
    (pa.string(), "str_length", {"exact_value": 1.5}, "exact_value", "a number of characters"),
    (pa.int32(), "str_length", {"min_value": 1}, "", "judges text"),
    (pa.bool_(), "greater_than", {"min_value": False}, "", "judges numbers, text, dates"),
    (pa.bool_(), "equal_to", {"value": 1}, "value", "true or false, not 1"),
    (pa.date32(), "equal_to", {"value": "2026-13-01"}, "value", "a date such as"),
    (pa.date32(), "equal_to", {"value": datetime(2026, 1, 1, tzinfo=UTC)}, "value", "a date such"),
    (INSTANT, "less_than", {"max_value": "today"}, "max_value", "an ISO 8601 time"),
    (INSTANT, "less_than", {"max_value": "9999-12-31T23:59:59-10:00"}, "max_value", "years 1 to"),
    (INSTANT, "less_than", {"max_value": 5}, "max_value", "an ISO 8601 time"),
    (LOCAL, "less_than", {"max_value": "2026-01-01T00:00:00Z"}, "max_value", "a local time"),
    (pa.binary(), "equal_to", {"value": "a"}, "", "a column of type binary"),
    (pa.binary(4), "str_length", {"min_value": 1}, "", "fixed_size_binary"),
    (pa.list_(pa.int32()), "isin", {"allowed_values": [1]}, "", "a column of type list"),
    (NESTED, "equal_to", {"value": 1}, "", "a column of type struct"),
    (pa.map_(pa.string(), pa.int32()), "equal_to", {"value": 1}, "", "a column of type map"),
    (pa.int32(), "in_range", {"min_value": 0, "max_value": 1, "include_min": 1}, "include_min", ""),
]


@pytest.mark.parametrize(("type_", "check", "arguments", "argument", "expected"), MISFITS)
def test_what_does_not_fit_its_column_is_refused_with_what_would(
    type_: pa.DataType, check: str, arguments: dict[str, Any], argument: str, expected: str
) -> None:
    with pytest.raises(RuleError) as refused:
        compile_rule(Rule(column="c", check=check, arguments=arguments), type_)
    assert refused.value.argument == argument
    assert expected in str(refused.value)


@pytest.mark.parametrize("kind", KINDS)
def test_a_column_is_tried_as_the_frames_type(kind: str) -> None:
    type_ = KINDS[kind].type
    assert polars_type(type_) == frame(type_, [None]).schema["c"]


def test_a_rule_is_called_by_its_check_and_arguments() -> None:
    rule = compile_rule(
        Rule(
            column="c",
            check="in_range",
            arguments={
                "min_value": date(2026, 1, 1),
                "max_value": "2026-01-02",
                "include_max": False,
            },
        ),
        pa.date32(),
    )
    assert rule.label == "c: in_range('2026-01-01', '2026-01-02', include_max=False)"
