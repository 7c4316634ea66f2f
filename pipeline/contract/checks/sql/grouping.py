"""Columns beside aggregates that a SELECT does not group by."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

_JUDGED_ELSEWHERE = (exp.AggFunc, exp.Anonymous, exp.AnonymousAggFunc, exp.Filter, exp.Query)
"""What may be an aggregate, and what has a SELECT of its own: columns in it are not looked at."""


def misplaced_aggregates(statement: exp.Query) -> Iterator[tuple[exp.Expr, str]]:
    """Yield aggregates where Spark takes none, and positions that GROUP BY has not, with what should be."""
    for select in statement.find_all(exp.Select):
        where, group = select.args.get("where"), select.args.get("group")
        for one in _inside(where):
            yield (
                one,
                "it in HAVING, which is judged after groups are made; WHERE has no aggregates",
            )
        for one in _inside(group):
            yield one, "what rows are grouped by; GROUP BY has no aggregates"
        for outer in select.find_all(exp.AggFunc):
            if outer.parent_select is select and not isinstance(outer.parent, exp.Window):
                for part in outer.iter_expressions():
                    for one in _inside(part):
                        yield one, "no aggregate in an aggregate: a subquery has the inner one"
        for place in group.expressions if group is not None else ():
            if isinstance(place, exp.Literal) and place.is_int:
                most = len(select.expressions)
                if not 1 <= int(place.name) <= most and not select.is_star:
                    yield place, f"a position from 1 to {most}; not {place.name}"
                elif not select.is_star and _aggregates(select.expressions[int(place.name) - 1]):
                    yield place, f"a position of what is no aggregate; {place.name} is one"


def _inside(part: exp.Expr | None) -> Iterator[exp.Expr]:
    """Yield the aggregates of a part, but for those of windows and of queries within."""
    if part is None:
        return
    for node in part.walk(prune=lambda one: isinstance(one, exp.Window | exp.Query)):
        if isinstance(node, exp.AggFunc) and not isinstance(node.parent, exp.Window):
            yield node


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
    return any(True for _ in _inside(value))


def _outside(value: exp.Expr, by: list[exp.Expr], names: set[str]) -> Iterator[exp.Column]:
    for node in value.walk(prune=lambda one: isinstance(one, _JUDGED_ELSEWHERE) or one in by):
        if node in by or not isinstance(node, exp.Column) or isinstance(node.this, exp.Star):
            continue
        if not names & {part.name.lower() for part in node.parts}:
            yield node
