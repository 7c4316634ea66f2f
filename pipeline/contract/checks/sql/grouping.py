"""Columns beside aggregates that a SELECT does not group by."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

_JUDGED_ELSEWHERE = (exp.AggFunc, exp.Anonymous, exp.AnonymousAggFunc, exp.Filter, exp.Query)
"""What may be an aggregate, and what has a SELECT of its own: columns in it are not looked at."""


def ungrouped_columns(statement: exp.Query) -> Iterator[exp.Column]:
    """Yield columns that a SELECT lists beside aggregates, or beside its groups, without grouping by them.

    What may be right is taken to be: ROLLUP and its like, and functions that are not known.
    """
    for select in statement.find_all(exp.Select):
        yield from _of_select(select)


def _of_select(select: exp.Select) -> Iterator[exp.Column]:
    group = select.args.get("group")
    if group is not None and any(
        value for key, value in group.args.items() if key != "expressions"
    ):
        return
    if group is None and not any(_aggregates(one) for one in select.expressions):
        return
    by = [*group.expressions] if group is not None else []
    names = {one.name.lower() for one in by if isinstance(one, exp.Column)}
    places = {int(one.name) for one in by if isinstance(one, exp.Literal) and one.is_int}
    aliases: set[str] = set()
    for place, one in enumerate(select.expressions, start=1):
        value = one.unalias()
        is_group = place in places or value in by or one.alias.lower() in names
        if not is_group and not one.is_star:
            yield from _outside(value, by, names | aliases)
        if isinstance(one, exp.Alias):
            aliases.add(one.alias.lower())


def _aggregates(value: exp.Expr) -> bool:
    """Tell whether an expression of a SELECT brings rows together; a window does not."""
    for node in value.walk(prune=lambda one: isinstance(one, exp.Window | exp.Query)):
        if isinstance(node, exp.AggFunc) and not isinstance(node.parent, exp.Window):
            return True
    return False


def _outside(value: exp.Expr, by: list[exp.Expr], names: set[str]) -> Iterator[exp.Column]:
    for node in value.walk(prune=lambda one: isinstance(one, _JUDGED_ELSEWHERE) or one in by):
        if node in by or not isinstance(node, exp.Column) or isinstance(node.this, exp.Star):
            continue
        if not names & {part.name.lower() for part in node.parts}:
            yield node
