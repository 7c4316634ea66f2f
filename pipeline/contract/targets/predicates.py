"""Business rules as predicates: what a check and its arguments ask of the values of a column.

Read without the engine that judges rows, so that a contract can be checked without it. What is read here,
`rules` compiles; save for patterns, which the engine alone can read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import pyarrow as pa

from pipeline.contract.model import Rule
from pipeline.contract.targets.rule_values import ArgumentError, bound_of, is_unicode, value_of


class RuleError(ValueError):
    """A rule does not fit its column.

    Attributes:
        argument: the one that is wrong; empty if the check itself does not fit.
    """

    def __init__(self, argument: str, expected: str) -> None:
        super().__init__(expected)
        self.argument = argument


@dataclass(frozen=True)
class Equal:
    """The value is `to`, or is not where `negated`."""

    to: Any
    negated: bool = False


@dataclass(frozen=True)
class Among:
    """The value is one of `values`, or none of them where `negated`."""

    values: tuple[Any, ...]
    negated: bool = False


@dataclass(frozen=True)
class Compared:
    """The value compares with each bound as its name says: `gt`, `ge`, `lt` or `le`."""

    bounds: tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Matched:
    """The text matches `pattern`: `anchored` from its start, else anywhere."""

    pattern: str
    anchored: bool


@dataclass(frozen=True)
class Affixed:
    """The text begins with `text`, or ends with it where `at_end`."""

    text: str
    at_end: bool


@dataclass(frozen=True)
class Sized:
    """The text has `least` characters or more, and `most` or fewer."""

    least: int | None
    most: int | None


Predicate = Equal | Among | Compared | Matched | Affixed | Sized
"""Values are such as `rule_values` gives for the column's type."""


def read_predicate(rule: Rule, type_: pa.DataType) -> Predicate:
    """Return what `rule` asks of a column of `type_`.

    Raises:
        RuleError: it does not fit. Whether a pattern is one is not judged.
    """
    read, fits, wanted = _CHECKS[rule.check]
    if not fits(type_):
        raise RuleError("", f"a check for a column of type {type_}; {rule.check} judges {wanted}")
    return read(_Arguments(rule.arguments, type_))


class _Arguments:
    """A rule's arguments, read as its column's type."""

    def __init__(self, given: Mapping[str, Any], type_: pa.DataType) -> None:
        self._given, self._type = given, type_

    def said(self, name: str, kind: type, expected: str) -> Any:
        """Return an argument of a kind of its own; None if it is left out or null."""
        value = self._given.get(name)
        if value is not None and (
            not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)
        ):
            raise RuleError(name, f"{expected}, not {value!r}")
        return value

    def one(self, name: str) -> Any:
        """Return an argument that the column may equal."""
        return self._value(name, self._given[name], value_of)

    def many(self, name: str) -> tuple[Any, ...]:
        """Return an argument that lists values."""
        listed = self.said(name, list, "a list of values")
        if not listed:
            raise RuleError(name, "a list of at least one value")
        return tuple(self._value(name, raw, value_of) for raw in listed)

    def bounds(self, name: str) -> tuple[Any, Any]:
        """Return the column's values next to an argument: no less than it, no greater."""
        above, below = self._value(name, self._given[name], bound_of)
        return above, below

    def text(self, name: str, expected: str, advice: str = "") -> str:
        """Return an argument that is a text."""
        found = self.said(name, str, f"{expected}{advice}")
        if found is None:
            raise RuleError(name, expected)
        if not is_unicode(found):
            raise RuleError(name, f"{expected} of Unicode characters, not {found!r}")
        return str(found)

    def _value(self, name: str, raw: Any, read: Callable[[Any, pa.DataType], Any]) -> Any:
        if raw is None:
            raise RuleError(name, "a value; nulls break no rule")
        try:
            return read(raw, self._type)
        except ArgumentError as error:
            raise RuleError(name, str(error)) from None


def _equal(given: _Arguments, *, negated: bool) -> Predicate:
    return Equal(given.one("value"), negated)


def _among(given: _Arguments, *, name: str, negated: bool) -> Predicate:
    return Among(given.many(name), negated)


def _bound(given: _Arguments, name: str, how: str) -> tuple[str, Any]:
    above, below = given.bounds(name)
    return how, above if how in ("ge", "lt") else below


def _compared(given: _Arguments, *, name: str, how: str) -> Predicate:
    return Compared((_bound(given, name, how),))


def _in_range(given: _Arguments) -> Predicate:
    with_min = given.said("include_min", bool, "true or false")
    with_max = given.said("include_max", bool, "true or false")
    least, most = given.bounds("min_value"), given.bounds("max_value")
    if least[0] > most[1] or (least == most and False in (with_min, with_max)):
        raise RuleError("max_value", "a range that holds a value of the column's type")
    return Compared(
        (
            _bound(given, "min_value", "gt" if with_min is False else "ge"),
            _bound(given, "max_value", "lt" if with_max is False else "le"),
        )
    )


def _matched(given: _Arguments, *, anchored: bool) -> Predicate:
    return Matched(given.text("pattern", "a regular expression"), anchored)


def _affixed(given: _Arguments, *, at_end: bool) -> Predicate:
    advice = ", in quotes if it looks like something else"
    return Affixed(given.text("string", "a text", advice), at_end)


def _sized(given: _Arguments) -> Predicate:
    low, high, exact = (
        given.said(name, int, "a number of characters")
        for name in ("min_value", "max_value", "exact_value")
    )
    if exact is not None and (low is not None or high is not None):
        raise RuleError("exact_value", "either an exact length or bounds")
    low, high = (exact, exact) if exact is not None else (low, high)
    if low is None and high is None:
        raise RuleError("", "min_value, max_value or exact_value")
    too_far = any(not -(2**32) < (one or 0) < 2**32 for one in (low, high))
    if too_far or (high is not None and high < (low or 0)):
        raise RuleError("", "lengths of 0 to 4,294,967,295 characters, the least first")
    return Sized(low, high)


def _is_text(type_: pa.DataType) -> bool:
    return bool(pa.types.is_string(type_))


def _is_ordered(type_: pa.DataType) -> bool:
    numbers = pa.types.is_integer(type_) or pa.types.is_floating(type_)
    return bool(
        numbers or pa.types.is_decimal(type_) or pa.types.is_temporal(type_) or _is_text(type_)
    )


def _is_scalar(type_: pa.DataType) -> bool:
    return _is_ordered(type_) or bool(pa.types.is_boolean(type_))


_TEXT = (_is_text, "text")
_ORDERED = (_is_ordered, "numbers, text, dates and times")
_SCALAR = (_is_scalar, "numbers, text, booleans, dates and times")

_CHECKS: Mapping[
    str, tuple[Callable[[_Arguments], Predicate], Callable[[pa.DataType], bool], str]
] = {
    "equal_to": (partial(_equal, negated=False), *_SCALAR),
    "not_equal_to": (partial(_equal, negated=True), *_SCALAR),
    "greater_than": (partial(_compared, name="min_value", how="gt"), *_ORDERED),
    "greater_than_or_equal_to": (partial(_compared, name="min_value", how="ge"), *_ORDERED),
    "less_than": (partial(_compared, name="max_value", how="lt"), *_ORDERED),
    "less_than_or_equal_to": (partial(_compared, name="max_value", how="le"), *_ORDERED),
    "in_range": (_in_range, *_ORDERED),
    "isin": (partial(_among, name="allowed_values", negated=False), *_SCALAR),
    "notin": (partial(_among, name="forbidden_values", negated=True), *_SCALAR),
    "str_matches": (partial(_matched, anchored=True), *_TEXT),
    "str_contains": (partial(_matched, anchored=False), *_TEXT),
    "str_startswith": (partial(_affixed, at_end=False), *_TEXT),
    "str_endswith": (partial(_affixed, at_end=True), *_TEXT),
    "str_length": (_sized, *_TEXT),
}
"""Check -> how its arguments are read, the types it judges, and these in words."""
