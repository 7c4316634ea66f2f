"""Functions of Spark: which there are, and which give other values each time."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from sqlglot import exp

from pipeline.contract.checks.sql.statement import Statement, functions_called
from pipeline.contract.source.mistakes import Mistake

NAMES = Path(__file__).with_name("spark_functions.txt")
"""Names of the functions that Spark 4.1 has, one a line: what `SHOW FUNCTIONS` lists."""

CHANGING = frozenset(
    [
        "current_date",
        "current_time",
        "current_timestamp",
        "curdate",
        "input_file_block_length",
        "input_file_block_start",
        "input_file_name",
        "localtimestamp",
        "monotonically_increasing_id",
        "now",
        "rand",
        "randn",
        "random",
        "randstr",
        "session_user",
        "shuffle",
        "spark_partition_id",
        "uniform",
        "user",
        "current_user",
        "uuid",
    ]
)
"""Functions of which two runs over the same rows may differ."""
BY_ORDER = frozenset(
    [
        "any_value",
        "approx_top_k",
        "array_agg",
        "collect_list",
        "collect_set",
        "first",
        "first_value",
        "last",
        "last_value",
        "listagg",
        "max_by",
        "min_by",
        "mode",
        "string_agg",
    ]
)
"""Aggregates whose value may depend on the order of rows, which no two runs need share."""
_HINTS = frozenset(
    [
        "broadcast",
        "broadcastjoin",
        "coalesce",
        "mapjoin",
        "merge",
        "mergejoin",
        "rebalance",
        "repartition",
        "repartition_by_range",
        "shuffle_hash",
        "shuffle_merge",
        "shuffle_replicate_nl",
        "skew",
    ]
)


@cache
def spark_functions() -> frozenset[str]:
    """Return the names of Spark's own functions, in small letters."""
    return frozenset(NAMES.read_text(encoding="utf-8").split())


def function_mistakes(statement: Statement) -> Iterator[Mistake]:
    """Yield calls of functions that Spark does not have, or that give other values each time."""
    known = spark_functions()
    for name, start in functions_called(statement):
        if name not in known and name not in _HINTS:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            yield statement.mistake_at(start, f"a function of Spark's, not {name!r}{hint}")
    for node in statement.query.walk():
        if (name := _name(node)) in CHANGING:
            name, start = _called(statement, node, name)
            expected = f"what gives the same for the same rows; {name} does not: an hour built again differs"
            yield (
                statement.mistake_at(start, expected)
                if start
                else statement.mistake(node, expected)
            )


def _called(statement: Statement, node: exp.Expr, name: str) -> tuple[str, int]:
    """Return what a call without a place of its own is written as, and where; 0 for one that has a place."""
    if "start" in node.meta:
        return name, 0
    written = [*(type(node).sql_names() if isinstance(node, exp.Func) else ()), "unix_timestamp"]
    for one in written:
        if (found := re.search(rf"(?i)(?<![.\w]){one}\b", statement.bare)) is not None:
            return one.lower(), found.start()
    return name, 0


def order_warnings(statement: Statement) -> Iterator[Mistake]:
    """Yield aggregates whose value may depend on the order of rows."""
    for node in statement.query.walk():
        if (name := _name(node)) in BY_ORDER and node.find_ancestor(exp.Window) is None:
            expected = f"an aggregate that no order of rows changes; {name} may give another when built again"
            yield statement.mistake(node, expected)
        if isinstance(node, exp.Limit) and node.parent and not node.parent.args.get("order"):
            expected = (
                "an ORDER BY beside LIMIT: without one it takes any rows, others when built again"
            )
            yield statement.mistake(node, expected)


def _name(node: exp.Expr) -> str:
    if isinstance(node, exp.Anonymous | exp.AnonymousAggFunc):
        return str(node.name).lower()
    if not isinstance(node, exp.Func):
        return ""
    return next(
        (one.lower() for one in type(node).sql_names() if one.lower() in CHANGING | BY_ORDER), ""
    )
