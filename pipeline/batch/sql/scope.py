"""What a SELECT sees, and which expressions of it are the same for an hour of a range. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.dialects.spark import Spark

from pipeline.batch.sql.exact_sums import exact_type
from pipeline.batch.sql.known import KNOWN, NotRangedError, is_plain, named


@dataclass(frozen=True)
class Source:
    """Rows that a SELECT reads.

    Attributes:
        name: what it calls them; "" if they have no name.
        columns: their types, as Spark names them; "" where not known.
        hour: the column of each row's hour, beside `columns`.
    """

    name: str
    columns: Mapping[str, str]
    hour: str


@dataclass(frozen=True)
class Scope:
    """The sources that an expression may name columns of."""

    sources: tuple[Source, ...]

    def type_of(self, column: exp.Column) -> str | None:
        """Return the type of a column; None where it is not known, or may be one of several."""
        found = self.types_of(column)
        return found[0] if len(set(found)) == 1 else None

    def types_of(self, column: exp.Column) -> list[str]:
        """Return the types of all columns that it may be; of a field in one, "", which is not known."""
        first, *rest = (part.name.lower() for part in column.parts)
        if rest and (mine := [one.columns for one in self.sources if one.name == first]):
            return ["" if rest[1:] else of[rest[0]] for of in mine if rest[0] in of]
        found = [one.columns[first] for one in self.sources if first in one.columns]
        return ["" for _ in found] if rest else found

    def result_type(self, value: exp.Expr) -> str:
        """Return the type of what a SELECT gives; "" where it is not known."""
        match value:
            case exp.Column():
                return self.type_of(value) or ""
            case exp.Count() | exp.CountIf():
                return "bigint"
            case exp.Sum():
                exact = exact_type(value.this, self.type_of)
                return "bigint" if exact is not None and exact.bits is not None else ""
            case exp.Min() | exp.Max() | exp.Filter() | exp.Alias():
                return self.result_type(value.this)
            case _:
                return ""

    def refuse_unknown(self, part: exp.Expr, aliases: frozenset[str] = frozenset()) -> None:
        """Refuse what may not be the same of the same row, whatever is beside it.

        `aliases` are names that are columns here, too.

        Raises:
            NotRangedError: it may not be, or nobody knows.
        """
        for node in part.walk():
            if isinstance(node, exp.Query):
                raise NotRangedError("it has a query inside of an expression")
            if isinstance(node, exp.Star) or (
                isinstance(node, exp.Column) and isinstance(node.this, exp.Star)
            ):
                if not isinstance(node.parent, exp.Count) or isinstance(node, exp.Column):
                    raise NotRangedError("it has * inside of an expression, or beside a grouping")
            elif isinstance(node, exp.Column):
                name = node.sql(dialect=Spark)
                if name.lower() not in aliases and not self.types_of(node):
                    raise NotRangedError(f"it has {name}, which is no column of what it reads")
            elif type(node) not in KNOWN:
                what = f"whether {named(node)} gives the same for a range is not known"
                raise NotRangedError(what)

    def refuse_inexact(self, call: exp.AggFunc) -> None:
        """Refuse an aggregate of which a digit may depend on the order of rows.

        Raises:
            NotRangedError: it may.
        """
        value, name = call.this, named(call)
        exact = exact_type(value, self.type_of)
        if isinstance(call, exp.Min | exp.Max):
            if exact is None and not is_plain(value, self.type_of):
                raise NotRangedError(f"{name} is of what may be floating point")
        elif isinstance(call, exp.Sum | exp.Avg):
            if exact is None:
                told = "unless it is of whole numbers or decimals, and these are known to be that"
                raise NotRangedError(f"{name} depends on the order of rows, {told}")
            if isinstance(call, exp.Avg) and exact.most_rows is not None:
                raise NotRangedError(f"{name} is exact for few rows only")
