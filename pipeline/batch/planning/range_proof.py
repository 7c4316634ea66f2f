"""Whether SQL gives each hour of a range the rows that it gives of the hour alone. A pure function.

It does where rows come from events one by one, and are brought together by values of which no digit depends
on the order of rows. What is not known to be so is refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp
from sqlglot.dialects.spark import Spark

from pipeline.batch.sql.exact_sums import exact_type
from pipeline.batch.sql.known import KNOWN, NotRangedError, is_plain, named
from pipeline.batch.sql.types import Types
from pipeline.contract.model import EVENTS

_FEW_ROWS = 10_000


@dataclass(frozen=True)
class Proof:
    """What holds of a statement whose hours may be computed at once.

    Attributes:
        events: what it calls the view of events.
        most_rows: up to how many rows of events of an hour it holds; None: of any number.
    """

    events: str
    most_rows: int | None


def prove(statement: exp.Select, types: Types) -> Proof:
    """Return what holds of a statement that computes an hour.

    `types` are those of the views that it may read, `events` and reference data. A statement that selects and
    groups by its rows' hour as well gives each hour what `statement` gives of it.

    Raises:
        NotRangedError: it may differ, or nobody knows.
    """
    views = _views(statement, {name.lower(): columns for name, columns in types.items()})
    _refuse_grouping(statement)
    _refuse_unknown(statement, views)
    most_rows = [
        rows
        for call in statement.find_all(exp.AggFunc)
        if (rows := _refuse_inexact(call, views)) is not None
    ]
    return Proof(views.events, min(most_rows, default=None))


@dataclass(frozen=True)
class _Views:
    """What a statement reads: `events` is what it calls that; `types` by what it calls each view."""

    events: str
    types: Types
    joins: bool

    def type_of(self, column: exp.Column) -> str | None:
        """Return the type of a column; None where it is not known, or may be one of several."""
        found = self.types_of(column)
        return found[0] if len(set(found)) == 1 else None

    def types_of(self, column: exp.Column) -> list[str]:
        """Return the types of all columns that it may be; of a field in one, a type that says nothing."""
        first, *rest = (part.name.lower() for part in column.parts)
        if rest and first in self.types:
            of_view = self.types[first].get(rest[0])
            return [] if of_view is None else ["a field" if rest[1:] else of_view]
        found = [types[first] for types in self.types.values() if first in types]
        return ["a field"] if found and rest else found


def _views(statement: exp.Select, types: Types) -> _Views:
    clauses = ("expressions", "distinct", "from_", "joins", "where", "group", "having")
    for name, value in statement.args.items():
        if value and name not in clauses:
            raise NotRangedError(f"it has {name.strip('_').upper()}")
    source = statement.args.get("from_")
    joins = statement.args.get("joins") or []
    found: dict[str, dict[str, str]] = {}
    for table in (source and source.this, *(join.this for join in joins)):
        if not isinstance(table, exp.Table) or any(
            value for name, value in table.args.items() if name not in ("this", "alias")
        ):
            raise NotRangedError("it reads more than plain views")
        name = table.name.lower()
        if name not in types:
            raise NotRangedError(f"it reads {name}, which is neither {EVENTS} nor reference data")
        if bool(found) is (name == EVENTS):
            raise NotRangedError(f"it joins other than reference data to {EVENTS}")
        columns = {column.lower(): type_ for column, type_ in types[name].items()}
        found[table.alias_or_name.lower()] = columns
    for join in joins:
        kinds = join.side in ("", "LEFT") and join.kind in ("", "INNER", "OUTER", "CROSS")
        if join.method or not kinds:
            raise NotRangedError("it has a join that is neither inner nor left")
    return _Views(next(iter(found)), found, bool(joins))


def _refuse_grouping(statement: exp.Select) -> None:
    group = statement.args.get("group")
    if group is None and (statement.find(exp.AggFunc) or statement.args.get("having")):
        raise NotRangedError("without GROUP BY an hour that has no events has a row all the same")
    more = (
        ()
        if group is None
        else (value for name, value in group.args.items() if name != "expressions")
    )
    if any(more):
        raise NotRangedError("it groups by more than a list")


def _refuse_unknown(statement: exp.Select, views: _Views) -> None:
    group = statement.args.get("group")
    aliases = {one.alias.lower() for one in statement.expressions if isinstance(one, exp.Alias)}
    for node in statement.walk():
        if isinstance(node, exp.Column):
            is_alias = node.parent is group and node.sql(dialect=Spark).lower() in aliases
            if not is_alias and not views.types_of(node):
                what = f"{node.sql(dialect=Spark)}, which is no column of what it reads"
                raise NotRangedError(f"it has {what}")
        elif isinstance(node, exp.Star):
            if not isinstance(node.parent, exp.Count):
                raise NotRangedError("it selects *")
        elif type(node) not in KNOWN:
            raise NotRangedError(f"whether {named(node)} gives the same for a range is not known")


def _refuse_inexact(call: exp.Expr, views: _Views) -> int | None:
    """Return up to how many rows the aggregate gives the same in any order; None: of any number."""
    value, name = call.this, named(call)
    exact = exact_type(value, views.type_of)
    if isinstance(call, exp.Min | exp.Max):
        # Which zero it is may depend on the order, and show in what is made of it.
        if exact is None and not _is_selected(call) and not is_plain(value, views.type_of):
            raise NotRangedError(
                f"{name} of what may be floating point is a part of something larger"
            )
    elif isinstance(call, exp.Sum | exp.Avg):
        if exact is None:
            told = "unless it is of whole numbers or decimals, and these are known to be that"
            raise NotRangedError(f"{name} depends on the order of rows, {told}")
        if isinstance(call, exp.Avg) and exact.most_rows is not None:
            # A join may make any number of rows of one.
            if views.joins or exact.most_rows < _FEW_ROWS:
                raise NotRangedError(f"{name} is exact for few rows only")
            return exact.most_rows
    return None


def _is_selected(call: exp.Expr) -> bool:
    parent = call.parent.parent if isinstance(call.parent, exp.Alias) else call.parent
    return isinstance(parent, exp.Select)
