"""What columns are made from is read from SQL: values, and what rows are chosen by; or nothing is said."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
import pytest
from sqlglot import exp, parse_one

from pipeline.contract.checks.sql.sources import BaseColumn, column_sources
from pipeline.contract.checks.sql.views import OPEN, View

TEXT, NUMBER, TIME = pa.string(), pa.int64(), pa.timestamp("us")
VIEWS = {
    "e": View({"k": TEXT, "v": NUMBER, "at": TIME, "parts": None, "r": pa.struct([("a", NUMBER)])}),
    "o": View({"k": TEXT, "w": NUMBER, "hour": TIME}),
}


def read(sql: str) -> exp.Query:
    query = parse_one(sql, dialect="spark")
    assert isinstance(query, exp.Query)
    return query


def sources(sql: str) -> dict[str, str]:
    """Return values and what decides rows, parted by `|`, of each column."""
    made = column_sources(read(sql), VIEWS)
    return {name: f"{said(one.values)} | {said(one.rows)}".strip() for name, one in made.items()}


def said(columns: Iterable[BaseColumn]) -> str:
    return " ".join(sorted(map(str, columns)))


@pytest.mark.parametrize(
    ("sql", "column", "made"),
    [
        ("SELECT upper(k) AS x FROM e", "x", "e.k |"),
        ("SELECT CASE WHEN at IS NULL THEN v END AS x FROM e", "x", "e.at e.v |"),
        ("SELECT sum(v) FILTER (WHERE at IS NULL) AS x FROM e", "x", "e.at e.v |"),
        ("SELECT sum(v) AS x FROM e WHERE r.a > 1 GROUP BY k HAVING max(at) > 1", "x", "e.v | e.at e.k e.r"),
        ("SELECT sum(v) AS x FROM e GROUP BY 1", "x", "e.v | e.v"),
        ("SELECT r.a AS x FROM e", "x", "e.r |"),
        ("SELECT e.r.a AS x FROM e", "x", "e.r |"),
        ("SELECT transform(parts, p -> p.n + v) AS x FROM e", "x", "e.parts e.v |"),
        # A name of the list stands for its expression, unless what is read has it.
        ("SELECT v * 2 AS twice, twice + 1 AS x FROM e", "x", "e.v |"),
        ("SELECT o.w AS v, v + 1 AS x FROM e JOIN o ON e.k = o.k", "x", "e.v | e.k o.k"),
        ("SELECT v AS v FROM e", "v", "e.v |"),
        ("SELECT k AS kk, count(v) AS x FROM e GROUP BY kk HAVING kk > 'a' AND x > 1", "x", "e.v | e.k e.v"),
        # Rows are counted by any of their columns.
        ("SELECT count(*) AS x FROM o WHERE w > 1", "x", "| o.hour o.k o.w"),
        ("SELECT count(*) + max(w) AS x FROM o", "x", "o.w | o.hour o.k o.w"),
        ("SELECT 'a' AS x FROM o", "x", "| o.hour o.k o.w"),
        # Windows: what the function takes; ranks are made from their order.
        ("SELECT sum(v) OVER (PARTITION BY k ORDER BY at) AS x FROM e", "x", "e.v | e.at e.k"),
        ("SELECT row_number() OVER (PARTITION BY k ORDER BY at) AS x FROM e", "x", "e.at | e.k"),
        ("SELECT sum(v) OVER w AS x FROM e WINDOW w AS (PARTITION BY k ORDER BY at)", "x", "e.v | e.at e.k"),
        ("SELECT rank() OVER w AS x FROM e WINDOW w AS (PARTITION BY k ORDER BY at)", "x", "e.at | e.k"),
        ("SELECT lag(v) IGNORE NULLS OVER (ORDER BY at) AS x FROM e", "x", "e.v | e.at"),
        # Through CTEs, subqueries and stars.
        ("WITH a AS (SELECT *, v * 2 AS x FROM e), b AS (SELECT * FROM a) SELECT x FROM b", "x", "e.v |"),
        ("WITH a(x, y) AS (SELECT k, v FROM e) SELECT x, y FROM a", "y", "e.v |"),
        ("WITH e AS (SELECT k AS x FROM e) SELECT x FROM e", "x", "e.k |"),
        ("SELECT x FROM (SELECT v AS x, rank() OVER (PARTITION BY k ORDER BY at) AS n FROM e) WHERE n = 1",
         "x", "e.v | e.at e.k"),
        ("SELECT t.* EXCEPT (k) FROM e AS t", "v", "e.v |"),
        ("SELECT DISTINCT k, v FROM e", "k", "e.k | e.k e.v"),
        # Joins.
        ("SELECT k, w FROM e JOIN o USING (k)", "k", "e.k | e.k o.k"),
        ("SELECT k, w FROM e LEFT JOIN o USING (k)", "w", "o.w | e.k o.k"),
        ("SELECT e.v AS x FROM e LEFT SEMI JOIN o ON e.k = o.k", "x", "e.v | e.k o.k"),
        ("SELECT x FROM e JOIN (SELECT k, max(w) AS x FROM o WHERE hour > '' GROUP BY k) m USING (k)", "x",
         "o.w | e.k o.hour o.k"),
        # Subqueries of one value, and in conditions.
        ("SELECT (SELECT max(w) FROM o WHERE o.k = e.k) AS x FROM e", "x", "o.w | e.k o.k"),
        ("SELECT v AS x FROM e WHERE k IN (SELECT k FROM o WHERE w > 1)", "x", "e.v | e.k o.k o.w"),
        ("SELECT v AS x FROM e WHERE EXISTS (SELECT w FROM o WHERE o.k = e.k)", "x", "e.v | e.k o.k o.w"),
        # Sets.
        ("SELECT k AS x FROM e UNION ALL SELECT k FROM o WHERE w > 1", "x", "e.k o.k | o.w"),
        ("SELECT k AS x, v FROM e UNION SELECT k, w FROM o", "x", "e.k o.k | e.k e.v o.k o.w"),
        ("SELECT k AS x FROM e EXCEPT SELECT k FROM o", "x", "e.k | e.k o.k"),
        # Generators.
        ("SELECT p.n AS x FROM e LATERAL VIEW explode(parts) t AS p", "x", "e.parts | e.parts"),
        ("SELECT v AS x FROM e LATERAL VIEW explode(parts) t AS p", "x", "e.v | e.parts"),
        ("SELECT explode(parts) AS x FROM e", "x", "e.parts |"),
        # Units of time are no columns.
        ("SELECT timestampdiff(HOUR, hour, hour) AS x FROM o", "x", "o.hour |"),
        ("SELECT timestampadd(MINUTE, 1, at) AS x FROM e", "x", "e.at |"),
    ],
)  # fmt: skip
def test_sources_are_values_and_what_decides_rows(sql: str, column: str, made: str) -> None:
    assert sources(sql)[column] == made


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT k AS x FROM e NATURAL JOIN o",
        "SELECT k AS x FROM e RIGHT JOIN o USING (k)",
        "SELECT posexplode(parts) AS (x, y) FROM e",
        "SELECT r.* FROM e",
        "SELECT x FROM e PIVOT (sum(v) FOR k IN ('a' AS x, 'b' AS y))",
        "SELECT u.x FROM e, LATERAL (SELECT max(w) AS x FROM o WHERE o.k = e.k) AS u",
        "WITH RECURSIVE t AS (SELECT v AS x FROM e UNION ALL SELECT x + 1 FROM t) SELECT x FROM t",
        "SELECT z AS x FROM e",
        "SELECT x FROM us.other.list",
    ],
)
def test_of_what_is_not_certain_nothing_is_said(sql: str) -> None:
    assert "x" not in sources(sql)


def test_beside_reference_data_that_cannot_be_read_nothing_is_said() -> None:
    assert column_sources(read("SELECT k FROM e"), {**VIEWS, "list": OPEN}) == {}
