"""Queries over hours, drawn at random: joins, groupings and aggregates, one inside of another."""

from __future__ import annotations

from random import Random

TABLES = {"events": ("k", "r", "n"), "{batch}": ("k", "r", "n"), "zones": ("r", "n")}
"""Views and their columns: `n` is a whole number, the others are strings. Any value may be null."""
CONDITIONS = (
    "{n} > 1",
    "{n} IS NULL",
    "{k} IS NOT NULL",
    "{k} <> 'a' OR {n} = 2",
    "{k} IN ('a', 'b')",
    "NOT {n} BETWEEN 1 AND 2",
    "coalesce({n}, 0) % 2 = 0",
)
AGGREGATES = (
    "count(*)",
    "count({k})",
    "count(DISTINCT {k})",
    "count_if({n} > 1)",
    "sum({n})",
    "sum({n}) FILTER (WHERE {k} = 'a')",
    "max({n})",
    "min({n})",
)
JOINS = ("JOIN", "LEFT JOIN", "LEFT ANTI JOIN", "LEFT SEMI JOIN", "INNER JOIN")


def drawn_query(draw: Random, depth: int = 3) -> str:
    """Return a SELECT of `k` and `n`, a string and a whole number, of tables or of other SELECTs."""
    alias = f"t{depth}"
    relation = drawn_source(draw, depth)
    joined, seen = "", [alias]
    if draw.random() < 0.5:
        kind, other = draw.choice(JOINS), f"j{depth}"
        on = draw.choice((f"{alias}.k = {other}.k", f"{alias}.n <= {other}.n"))
        joined = f" {kind} {drawn_source(draw, depth)} AS {other} ON {on}"
        seen += [] if "ANTI" in kind or "SEMI" in kind else [other]

    def filled(template: str) -> str:
        of = draw.choice(seen)
        return template.format(k=f"{of}.k", n=f"{of}.n")

    where = f" WHERE {filled(draw.choice(CONDITIONS))}" if draw.random() < 0.5 else ""
    k, n = filled("{k}"), filled("{n}")
    shape = draw.choice(("rows", "distinct", "group", "one", "one"))
    if shape in ("rows", "distinct"):
        distinct = "DISTINCT " if shape == "distinct" else ""
        return f"SELECT {distinct}{k} AS k, {n} AS n FROM {relation} AS {alias}{joined}{where}"
    value = filled(draw.choice(AGGREGATES))
    having = f" HAVING {filled(draw.choice(AGGREGATES))} < 4" if draw.random() < 0.4 else ""
    key, group = (f"{k} AS k", f" GROUP BY {k}") if shape == "group" else ("'a' AS k", "")
    return f"SELECT {key}, {value} AS n FROM {relation} AS {alias}{joined}{where}{group}{having}"


def drawn_source(draw: Random, depth: int) -> str:
    """Return what a SELECT reads: `k` and `n` of a table, or of another SELECT."""
    if depth > 1 and draw.random() < 0.6:
        return f"({drawn_query(draw, depth - 1)})"
    table = draw.choice(list(TABLES))
    return table if "k" in TABLES[table] else f"(SELECT r AS k, n FROM {table})"
