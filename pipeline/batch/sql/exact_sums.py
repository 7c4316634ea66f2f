"""Which values of a statement have sums and means of which no digit depends on the order of rows. Pure.

Told from the types of columns, as Spark names them: what is not known for certain has none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sqlglot import exp

_WHOLE_IN_A_DOUBLE = 2**53
"""Sums of whole numbers up to it are exact in doubles, which is what Spark takes means of them by."""
_DIGITS = 28
"""Sums of decimals have ten digits more than these, of 38 that there are: none overflows on its way."""
_UNSCALED_MEAN = 11
"""Means of decimals of up to so many digits, Spark takes of their unscaled values, in doubles."""


@dataclass(frozen=True)
class Exact:
    """A type of numbers whose sums are exact: whole ones of `bits` bits, or decimals where that is None."""

    precision: int
    scale: int = 0
    bits: int | None = None

    @property
    def most_rows(self) -> int | None:
        """Of how many rows a mean is exact, whatever they hold; None: of any."""
        if self.bits is not None:
            return int(_WHOLE_IN_A_DOUBLE // 2**self.bits)
        if self.precision <= _UNSCALED_MEAN:
            return int(_WHOLE_IN_A_DOUBLE // 10**self.precision)
        return None


_INT, _BIGINT = Exact(10, bits=31), Exact(20, bits=63)
_NAMED = {"tinyint": _INT, "smallint": _INT, "int": _INT, "bigint": _BIGINT}

TypeOf = Callable[[exp.Column], str | None]
"""Gives the type of a column by Spark's name for it; None where it is not known."""


def exact_type(value: exp.Expr | None, type_of: TypeOf) -> Exact | None:
    """Return the type of a value whose sums are exact for certain; None of any other."""
    match value:
        case exp.Column():
            return _named(type_of(value) or "")
        case exp.Literal():
            return None if value.is_string or not value.is_int else _of_literal(int(value.this))
        case exp.Cast():
            return _named(value.to.sql(dialect="spark").lower())
        case exp.Add() | exp.Sub() | exp.Mul():
            sides = [exact_type(side, type_of) for side in (value.this, value.expression)]
            found = _widest(sides)
            return found if found is not None and found.bits is not None else None
        case exp.If():
            return _of_branches((value.args["true"], value.args.get("false")), type_of)
        case exp.Case():
            given = [branch.args["true"] for branch in value.args["ifs"]]
            return _of_branches((*given, value.args.get("default")), type_of)
        case exp.Coalesce():
            return _of_branches((value.this, *value.expressions), type_of)
        case exp.Distinct() if len(value.expressions) == 1:
            return exact_type(value.expressions[0], type_of)
        case exp.Paren() | exp.Neg() | exp.Abs():
            return exact_type(value.this, type_of)
        case _:
            return None


def _of_branches(branches: Iterable[exp.Expr | None], type_of: TypeOf) -> Exact | None:
    return _widest(
        [
            exact_type(branch, type_of)
            for branch in branches
            if branch is not None and not isinstance(branch, exp.Null)
        ]
    )


def _widest(types: Sequence[Exact | None]) -> Exact | None:
    """Return the type that Spark brings all of `types` to; None where one is not exact."""
    known = [one for one in types if one is not None]
    if not known or len(known) < len(types):
        return None
    if all(one.bits is not None for one in known):
        return max(known, key=lambda one: one.precision)
    scale = max(one.scale for one in known)
    return _decimal(max(one.precision - one.scale for one in known) + scale, scale)


def _decimal(precision: int, scale: int) -> Exact | None:
    return Exact(precision, scale) if precision <= _DIGITS else None


def _of_literal(value: int) -> Exact | None:
    if abs(value) < 2**31:
        return _INT
    return _BIGINT if abs(value) < 2**63 else None


def _named(name: str) -> Exact | None:
    digits = re.fullmatch(r"decimal\((\d+), ?(\d+)\)", name)
    if digits is not None:
        return _decimal(int(digits[1]), int(digits[2]))
    return _NAMED.get(name)
