"""Rules that the check lets through without trying them: each can judge its column, whatever it asks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone
from itertools import product
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.avro.arrow import LOGICAL, PRIMITIVES
from pipeline.contract.checks.rule_probe import probe_rule
from pipeline.contract.model import Rule
from pipeline.contract.targets.predicates import Matched, RuleError, read_predicate
from pipeline.contract.targets.rules import compile_rule
from pipeline.contract.vocabulary import CHECKS

DECIMALS = [pa.decimal128(p, s) for p, s in ((1, 0), (9, 2), (38, 0), (38, 19), (38, 38))]
TYPES = list(
    dict.fromkeys([*PRIMITIVES.values(), *LOGICAL.values(), *DECIMALS, pa.binary(4), pa.null()])
)
"""Types of columns that a rule may be about: what no others hold, and a decimal of each kind."""
EXTREMES: list[Any] = [
    None,
    True,
    False,
    *(sign * number for sign in (1, -1) for number in (0, 1, 2**31, 2**32, 2**63, 10**38, 10**400)),
    *(0.0, -0.0, 0.1, 1e-320, 3.4028236e38, 1e308, math.nan, math.inf, -math.inf),
    *("", "a", "\x00", "\ud800", "🙂", "x" * 70_000, "1.50", "1e-50", "9" * 50),
    *("2026-01-01", "0001-01-01", "9999-12-31T23:59:59.999999-00:01", "24:00", "23:59:59.999999"),
    *(date.min, date.max, time.min, time.max),
    *(datetime.min, datetime.max, datetime.max.replace(tzinfo=UTC)),  # noqa: DTZ901
    datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))),
]
YAML_VALUES = (
    st.sampled_from(EXTREMES)
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=5)
    | st.decimals().map(str)
    | st.dates()
    | st.datetimes()
    | st.datetimes(timezones=st.just(UTC))
    | st.times()
)


def named(arguments: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    """Return arguments with values, those that list some with a list of all that come after."""
    return {
        name: list(values[number:]) if name.endswith("_values") else values[number]
        for number, name in enumerate(arguments)
    }


def extremes(check: str) -> Iterator[dict[str, Any]]:
    """Yield the arguments of a check with every extreme for each, and each two for pairs of bounds."""
    required, optional = CHECKS[check]
    if not required:
        bounds = [None, *(one for one in EXTREMES if isinstance(one, int))]
        yield from (named(optional, values) for values in product(bounds, repeat=len(optional)))
        yield from ({name: value} for name in optional for value in EXTREMES)
    for values in product(EXTREMES, repeat=len(required)):
        for beside in product([None, False], repeat=len(optional)):
            yield named((*required, *optional), [*values, *beside])


def try_out(check: str, arguments: dict[str, Any], type_: pa.DataType) -> bool:
    """Return whether the rule is let through; then it must judge."""
    rule = Rule(column="c", check=check, arguments=arguments)
    try:
        if isinstance(read_predicate(rule, type_), Matched):
            return False
    except RuleError:
        return False
    assert list(probe_rule(compile_rule(rule, type_), type_)) == []
    return True


@pytest.mark.slow
@pytest.mark.parametrize("check", CHECKS)
def test_whatever_extremes_a_rule_asks_for_it_judges_or_is_refused(check: str) -> None:
    passed = sum(try_out(check, given, type_) for type_ in TYPES for given in extremes(check))
    assert passed > 10 or CHECKS[check][0] == ("pattern",)


@pytest.mark.parametrize("check", CHECKS)
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_whatever_a_rule_asks_for_it_judges_or_is_refused(check: str, data: st.DataObject) -> None:
    required, optional = CHECKS[check]
    values = data.draw(st.lists(YAML_VALUES, min_size=6, max_size=8))
    chosen = data.draw(st.lists(st.sampled_from(optional), unique=True)) if optional else []
    precision = data.draw(st.integers(1, 38))
    drawn = pa.decimal128(precision, data.draw(st.integers(0, precision)))
    try_out(check, named((*required, *chosen), values), data.draw(st.sampled_from([drawn, *TYPES])))
