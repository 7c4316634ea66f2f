"""The business rules of a product as expressions over its columns: which rows break which."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import polars as pl
import pyarrow as pa

from pipeline.contract.document import as_json
from pipeline.contract.model import Product, Rule
from pipeline.contract.rule_values import (
    ArgumentError,
    bound_of,
    comparable,
    literals,
    value_of,
)
from pipeline.contract.targets import iceberg
from pipeline.contract.vocabulary import CHECKS


class RuleError(ValueError):
    """A rule does not fit its column.

    Attributes:
        argument: the one that is wrong; empty if the check itself does not fit.
    """

    def __init__(self, argument: str, expected: str) -> None:
        super().__init__(expected)
        self.argument = argument


@dataclass(frozen=True)
class CompiledRule:
    """A rule that has been found to fit its column.

    Attributes:
        name: the check with its arguments, as pandera writes them.
        broken: true in each row that breaks the rule; a null never does.
    """

    column: str
    name: str
    broken: pl.Expr
    description: str = ""

    @property
    def label(self) -> str:
        """What reports and counts call it."""
        return f"{self.column}: {self.name}"


def compile_rules(product: Product) -> tuple[CompiledRule, ...]:
    """Return the rules of `product`, in the contract's order.

    Raises:
        RuleError: one does not fit its column; the contract check refuses it before.
    """
    types = {field.name: field.type for field in iceberg.payload_schema(product)}
    return tuple(compile_rule(rule, types[rule.column]) for rule in product.rules)


def compile_rule(rule: Rule, type_: pa.DataType) -> CompiledRule:
    """Return `rule` for a column of `type_`.

    Raises:
        RuleError: it does not fit.
    """
    judge, fits, wanted = _CHECKS[rule.check]
    if not fits(type_):
        raise RuleError("", f"a check for a column of type {type_}; {rule.check} judges {wanted}")
    holds = judge(_Arguments(rule, type_))
    return CompiledRule(
        column=rule.column,
        name=f"{rule.check}({_shown(rule)})",
        broken=(~holds).fill_null(value=False),
        description=rule.description,
    )


def _shown(rule: Rule) -> str:
    required, optional = CHECKS[rule.check]
    given = {name: as_json(value) for name, value in rule.arguments.items() if value is not None}
    shown = [repr(given[name]) for name in required]
    shown += [f"{name}={given[name]!r}" for name in optional if name in given]
    return ", ".join(shown)


class _Arguments:
    """A rule's arguments, read as its column's type."""

    def __init__(self, rule: Rule, type_: pa.DataType) -> None:
        self._given: Mapping[str, Any] = rule.arguments
        self._column = rule.column
        self._type = type_

    @property
    def text(self) -> pl.Expr:
        """The column, of text."""
        return pl.col(self._column)

    @property
    def values(self) -> pl.Expr:
        """The column, to be compared with arguments."""
        return comparable(self._column, self._type)

    def said(self, name: str, kind: type, expected: str) -> Any:
        """Return an argument of a kind of its own; None if it is left out or null."""
        value = self._given.get(name)
        if value is not None and (
            not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)
        ):
            raise RuleError(name, f"{expected}, not {value!r}")
        return value

    def one(self, name: str) -> pl.Expr:
        """Return an argument that the column may equal."""
        return pl.lit(literals([self._read(name, value_of)], self._type)).first()

    def many(self, name: str) -> pl.Series:
        """Return an argument that lists values."""
        listed = self.said(name, list, "a list of values")
        if not listed:
            raise RuleError(name, "a list of at least one value")
        return literals([self._value(name, raw, value_of) for raw in listed], self._type)

    def bounds(self, name: str) -> tuple[Any, Any]:
        """Return the column's values next to an argument: no less than it, no greater."""
        above, below = self._read(name, bound_of)
        return above, below

    def compared(self, with_value: Any, how: str) -> pl.Expr:
        """Return where the column compares so; NaN compares with nothing."""
        bound = pl.lit(literals([with_value], self._type)).first()
        column = self.values
        holds: pl.Expr = getattr(column, how)(bound)
        return holds & column.is_not_nan() if pa.types.is_floating(self._type) else holds

    def _read(self, name: str, read: Callable[[Any, pa.DataType], Any]) -> Any:
        return self._value(name, self._given[name], read)

    def _value(self, name: str, raw: Any, read: Callable[[Any, pa.DataType], Any]) -> Any:
        if raw is None:
            raise RuleError(name, "a value; nulls break no rule")
        try:
            return read(raw, self._type)
        except ArgumentError as error:
            raise RuleError(name, str(error)) from None


def _equal_to(given: _Arguments) -> pl.Expr:
    return given.values == given.one("value")


def _isin(given: _Arguments, name: str = "allowed_values") -> pl.Expr:
    return given.values.is_in(pl.lit(given.many(name)).implode())


def _compared(given: _Arguments, name: str, how: str) -> pl.Expr:
    above, below = given.bounds(name)
    return given.compared(above if how in ("ge", "lt") else below, how)


def _in_range(given: _Arguments) -> pl.Expr:
    with_min = given.said("include_min", bool, "true or false")
    with_max = given.said("include_max", bool, "true or false")
    least, most = given.bounds("min_value"), given.bounds("max_value")
    if least[0] > most[1] or (least == most and False in (with_min, with_max)):
        raise RuleError("max_value", "a range that holds a value of the column's type")
    above = _compared(given, "min_value", "gt" if with_min is False else "ge")
    return above & _compared(given, "max_value", "lt" if with_max is False else "le")


def _pattern(given: _Arguments, anchor: str) -> pl.Expr:
    pattern = given.said("pattern", str, "a regular expression")
    if pattern is None:
        raise RuleError("pattern", "a regular expression")
    for text in (pattern, f"{anchor}(?:{pattern})"):
        try:
            pl.select(pl.lit("").str.contains(text))
        except pl.exceptions.PolarsError as error:
            said = [line.strip() for line in str(error).splitlines() if "error:" in line]
            why = said[-1].rpartition("error: ")[2] if said else "it cannot be compiled"
            raise RuleError(
                "pattern", f"a regular expression of Rust's regex crate; {why}"
            ) from None
    return given.text.str.contains(f"{anchor}(?:{pattern})")


def _affix(given: _Arguments, how: str) -> pl.Expr:
    affix = given.said("string", str, "a text, in quotes if it looks like something else")
    if affix is None:
        raise RuleError("string", "a text")
    found: pl.Expr = getattr(given.text.str, how)(pl.lit(affix))
    return found


def _str_length(given: _Arguments) -> pl.Expr:
    low, high, exact = (
        given.said(name, int, "a number of characters")
        for name in ("min_value", "max_value", "exact_value")
    )
    if exact is not None and (low is not None or high is not None):
        raise RuleError("exact_value", "either an exact length or bounds")
    low, high = (exact, exact) if exact is not None else (low, high)
    if low is None and high is None:
        raise RuleError("", "min_value, max_value or exact_value")
    if max(low or 0, high or 0) >= 2**32 or (high is not None and high < (low or 0)):
        raise RuleError("", "lengths of 0 to 4,294,967,295 characters, the least first")
    length = given.text.str.len_chars().cast(pl.Int64)
    holds = pl.lit(value=True) if low is None else length >= low
    return holds if high is None else holds & (length <= high)


def _is_text(type_: pa.DataType) -> bool:
    return bool(pa.types.is_string(type_))


def _is_ordered(type_: pa.DataType) -> bool:
    numbers = pa.types.is_integer(type_) or pa.types.is_floating(type_)
    return bool(
        numbers or pa.types.is_decimal(type_) or pa.types.is_temporal(type_) or _is_text(type_)
    )


def _is_scalar(type_: pa.DataType) -> bool:
    return _is_ordered(type_) or bool(pa.types.is_boolean(type_))


_Judge = Callable[[_Arguments], pl.Expr]
_TEXT = (_is_text, "text")
_ORDERED = (_is_ordered, "numbers, text, dates and times")
_SCALAR = (_is_scalar, "numbers, text, booleans, dates and times")

_CHECKS: Mapping[str, tuple[_Judge, Callable[[pa.DataType], bool], str]] = {
    "equal_to": (_equal_to, *_SCALAR),
    "not_equal_to": (lambda given: ~_equal_to(given), *_SCALAR),
    "greater_than": (partial(_compared, name="min_value", how="gt"), *_ORDERED),
    "greater_than_or_equal_to": (partial(_compared, name="min_value", how="ge"), *_ORDERED),
    "less_than": (partial(_compared, name="max_value", how="lt"), *_ORDERED),
    "less_than_or_equal_to": (partial(_compared, name="max_value", how="le"), *_ORDERED),
    "in_range": (_in_range, *_ORDERED),
    "isin": (_isin, *_SCALAR),
    "notin": (lambda given: ~_isin(given, "forbidden_values"), *_SCALAR),
    "str_matches": (partial(_pattern, anchor=r"\A"), *_TEXT),
    "str_contains": (partial(_pattern, anchor=""), *_TEXT),
    "str_startswith": (partial(_affix, how="starts_with"), *_TEXT),
    "str_endswith": (partial(_affix, how="ends_with"), *_TEXT),
    "str_length": (_str_length, *_TEXT),
}
"""Check -> how it judges, the types it judges, and these in words."""
