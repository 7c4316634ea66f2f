"""The business rules of a product as expressions over its columns: which rows break which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import Any, assert_never

import polars as pl
import pyarrow as pa

from pipeline.contract.model import Product, Rule
from pipeline.contract.source.document import as_json
from pipeline.contract.targets import iceberg
from pipeline.contract.targets.predicates import (
    Affixed,
    Among,
    Compared,
    Equal,
    Matched,
    Predicate,
    RuleError,
    Sized,
    read_predicate,
)
from pipeline.contract.targets.rule_values import DIGITS
from pipeline.contract.vocabulary import CHECKS
from pipeline.rows.frames import to_series


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
    holds = _expression(read_predicate(rule, type_), rule.column, type_)
    return CompiledRule(
        column=rule.column,
        name=f"{rule.check}({_shown(rule)})",
        broken=(~holds).fill_null(value=False),
        description=rule.description,
    )


def polars_type(type_: pa.DataType) -> pl.DataType:
    """Return the type that a frame has for an Arrow column."""
    return to_series(pa.nulls(0, type_)).dtype


def _shown(rule: Rule) -> str:
    required, optional = CHECKS[rule.check]
    given = {name: as_json(value) for name, value in rule.arguments.items() if value is not None}
    shown = [repr(given[name]) for name in required]
    shown += [f"{name}={given[name]!r}" for name in optional if name in given]
    return ", ".join(shown)


def _expression(asked: Predicate, column: str, type_: pa.DataType) -> pl.Expr:
    """Return where `asked` holds of the column; null where that is null."""
    match asked:
        case Equal(to, negated):
            return _unless(negated, _comparable(column, type_) == _literal(to, type_))
        case Among(values, negated):
            listed = pl.lit(_literals(values, type_)).implode()
            return _unless(negated, _comparable(column, type_).is_in(listed))
        case Compared(bounds):
            each = (_compared(column, type_, how, value) for how, value in bounds)
            return reduce(and_, each)
        case Matched(pattern, anchored):
            return _matched(pl.col(column), pattern, r"\A" if anchored else "")
        case Affixed(text, at_end):
            found = pl.col(column).str
            return found.ends_with(pl.lit(text)) if at_end else found.starts_with(pl.lit(text))
        case Sized(least, most):
            length = pl.col(column).str.len_chars().cast(pl.Int64)
            holds = pl.lit(value=True) if least is None else length >= least
            return holds if most is None else holds & (length <= most)
        case _:
            assert_never(asked)


def _unless(negated: bool, holds: pl.Expr) -> pl.Expr:
    return ~holds if negated else holds


def _compared(column: str, type_: pa.DataType, how: str, value: Any) -> pl.Expr:
    """Return where the column compares so; NaN compares with nothing."""
    values = _comparable(column, type_)
    holds: pl.Expr = getattr(values, how)(_literal(value, type_))
    return holds & values.is_not_nan() if pa.types.is_floating(type_) else holds


def _matched(texts: pl.Expr, pattern: str, anchor: str) -> pl.Expr:
    for text in (pattern, f"{anchor}(?:{pattern})"):
        try:
            pl.select(pl.lit("").str.contains(text))
        except pl.exceptions.PolarsError as error:
            said = [line.strip() for line in str(error).splitlines() if "error:" in line]
            why = said[-1].rpartition("error: ")[2] if said else "it cannot be compiled"
            raise RuleError(
                "pattern", f"a regular expression of Rust's regex crate; {why}"
            ) from None
    return texts.str.contains(f"{anchor}(?:{pattern})")


def _comparable(column: str, type_: pa.DataType) -> pl.Expr:
    """Return the column as the type that `_literals` has."""
    if pa.types.is_decimal(type_):
        return pl.col(column).cast(pl.Decimal(DIGITS, type_.scale))
    return pl.col(column).cast(pl.Int64) if pa.types.is_integer(type_) else pl.col(column)


def _literals(values: Sequence[Any], type_: pa.DataType) -> pl.Series:
    """Return values of a predicate as a series to compare `_comparable` columns with."""
    if pa.types.is_decimal(type_):
        return pl.Series(values, dtype=pl.Decimal(DIGITS, type_.scale))
    if pa.types.is_integer(type_):
        return pl.Series([int(value) for value in values], dtype=pl.Int64)
    return pl.Series(values, dtype=polars_type(type_))


def _literal(value: Any, type_: pa.DataType) -> pl.Expr:
    return pl.lit(_literals([value], type_)).first()
