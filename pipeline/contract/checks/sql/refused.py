"""What another SQL has, and Spark refuses; and what gives other rows each time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from sqlglot import exp

from pipeline.contract.checks.sql.statement import Statement
from pipeline.contract.checks.sql.units import UNITS
from pipeline.contract.source.mistakes import Mistake

_PARAMETER = re.compile(r"(?<!:):(?!:)([A-Za-z_]\w*)|\?")
_DATE = re.compile(r"\s*(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2}))?)?")
_RANKS = (exp.RowNumber, exp.Rank, exp.DenseRank, exp.PercentRank, exp.CumeDist, exp.Ntile)
_OVER = (*_RANKS, exp.Lag, exp.Lead)
"""Functions of a window alone; the first of them of one in an order."""


def refused(statement: Statement, *, parameters: tuple[str, ...]) -> Iterator[Mistake]:
    """Yield what Spark does not take, whatever is read, or takes and never the same twice.

    `parameters` are those that the statement is given.
    """
    for node in statement.query.walk():
        if (expected := _expected(node)) is None:
            continue
        unit = node.unit.name.lower() if isinstance(node, exp.Interval) and node.unit else ""
        if place := statement.bare.lower().find(f" {unit}") + 1 if unit else 0:
            yield statement.mistake_at(place, expected)
        else:
            yield statement.mistake(node, expected)
    if statement.query.find(exp.Placeholder) is not None:
        for found in _PARAMETER.finditer(statement.bare):
            if found[1] not in parameters:
                listed = " and ".join(f"`:{one}`" for one in parameters)
                wanted = listed or "no parameters: `:start` and `:end` are for `timeRange` alone"
                yield statement.mistake_at(found.start(), f"{wanted}; not {found[0]!r}")


def _expected(node: exp.Expr) -> str | None:
    inside = node.parent if isinstance(node.parent, exp.Window) else None
    if isinstance(node, exp.JSONExtract | exp.JSONExtractScalar) and "only_json_types" in node.args:
        return "get_json_object(...): Spark has no -> for JSON"
    if isinstance(node, exp.Qualify):
        return "a subquery, and its WHERE: Spark has no QUALIFY"
    if isinstance(node, exp.Distinct) and node.args.get("on"):
        return "a subquery with row_number(), and its WHERE: Spark has no DISTINCT ON"
    if isinstance(node, exp.TableSample):
        return "all rows: a sample has others each time, so an hour built again differs"
    if isinstance(node, exp.Interval):
        unit = str(node.unit.name if node.unit is not None else "").lower()
        if isinstance(node.unit, exp.Var) and unit not in UNITS:
            return f"a unit of time such as day or hour, not {unit!r}"
    if isinstance(node, _OVER) and inside is None and not isinstance(node.parent, exp.IgnoreNulls):
        return f"{node.sql_name().lower()}(...) OVER (... ORDER BY ...)"
    if isinstance(node, _RANKS) and inside is not None and not inside.args.get("order"):
        if isinstance(inside.args.get("alias"), exp.Identifier):
            return None
        return f"an ORDER BY in the window of {node.sql_name().lower()}"
    if isinstance(node, exp.Cast) and isinstance(node.this, exp.Literal) and _is_no_time(node):
        return f"a date or time, not {node.this.name!r}"
    return None


def _is_no_time(cast: exp.Cast) -> bool:
    found = _DATE.match(cast.this.name) if cast.this.is_string else None
    if found is None or not cast.is_type(*exp.DataType.TEMPORAL_TYPES):
        return False
    try:
        datetime(*(int(part or 0) for part in found.groups()))  # type: ignore[arg-type]  # noqa: DTZ001
    except ValueError:
        return True
    return False
