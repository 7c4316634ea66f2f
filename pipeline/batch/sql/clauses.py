"""Clauses of a SELECT, but for what it reads: which are the same for an hour of a range. Pure functions."""

from __future__ import annotations

from sqlglot import exp
from sqlglot.dialects.spark import Spark

from pipeline.batch.sql.known import NotRangedError, named
from pipeline.batch.sql.scope import Scope


def refuse_clauses(statement: exp.Select, seen: Scope) -> None:
    """Refuse what may not be the same for an hour of a range in the clauses of a SELECT, but for its sources.

    Raises:
        NotRangedError: it may not be, or nobody knows.
    """
    group, having = statement.args.get("group"), statement.args.get("having")
    where = statement.args.get("where")
    is_grouped = group is not None or having is not None or bool(outermost(statement))
    aliases = frozenset(
        one.alias.lower() for one in statement.expressions if isinstance(one, exp.Alias)
    )
    for one in statement.expressions:
        if not (_is_star(one) and not is_grouped):
            seen.refuse_unknown(one)
        elif statement.args.get("distinct") is not None:
            raise NotRangedError("it has DISTINCT *")
    if where is not None:
        seen.refuse_unknown(where)
        refuse_calls(where)
    if group is not None:
        if any(value for name, value in group.args.items() if name != "expressions"):
            raise NotRangedError("it groups by more than a list")
        seen.refuse_unknown(group, aliases)
        refuse_calls(group)
    if having is not None:
        seen.refuse_unknown(having, aliases if group is not None else frozenset())
    for clause in (*statement.expressions, *([having] if having is not None else ())):
        for call in clause.find_all(exp.AggFunc):
            seen.refuse_inexact(call)
        if group is None and is_grouped:
            for column in clause.find_all(exp.Column):
                if column.find_ancestor(exp.AggFunc, exp.Filter) is None:
                    raise NotRangedError("it has a column beside aggregates, without GROUP BY")


def refuse_calls(clause: exp.Expr) -> None:
    """Refuse aggregates where rows are chosen.

    Raises:
        NotRangedError: there is one.
    """
    call = clause.find(exp.AggFunc)
    if call is not None:
        raise NotRangedError(f"it has {named(call)} in a condition of rows")


def outermost(statement: exp.Select) -> list[exp.Expr]:
    """Return the aggregates of a SELECT, each with its FILTER; not those of what it reads."""
    having = statement.args.get("having")
    found = [
        call
        for clause in (*statement.expressions, *([having] if having is not None else ()))
        for call in clause.find_all(exp.AggFunc)
    ]
    return [call.parent if isinstance(call.parent, exp.Filter) else call for call in found]


def columns_of(statement: exp.Select, seen: Scope) -> dict[str, str]:
    """Return the names and types of what a SELECT gives.

    Raises:
        NotRangedError: it gives all columns of what it does not read.
    """
    found: dict[str, list[str]] = {}
    for one in statement.expressions:
        if _is_star(one):
            of = one.table.lower() if isinstance(one, exp.Column) else None
            mine = [source for source in seen.sources if of in (None, source.name)]
            if not mine:
                raise NotRangedError(f"it has {one.sql(dialect=Spark)} of what it does not read")
            for name, type_ in (item for source in mine for item in source.columns.items()):
                found.setdefault(name, []).append(type_)
        elif one.alias_or_name:
            found.setdefault(one.alias_or_name.lower(), []).append(seen.result_type(one))
    return {name: types[0] if len(set(types)) == 1 else "" for name, types in found.items()}


def _is_star(one: exp.Expr) -> bool:
    star = one.this if isinstance(one, exp.Column) else one
    return isinstance(star, exp.Star) and not any(star.args.values())
