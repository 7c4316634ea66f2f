"""Which SQL of one hour is SQL of a range of hours, and why other SQL is not."""

from __future__ import annotations

import pytest

from pipeline.batch.planning.range_sql import range_sql
from pipeline.batch.sql.known import NotRangedError

TYPES = {
    "events": {
        "_event_time": "timestamp",
        "a": "int",
        "n": "bigint",
        "f": "double",
        "s": "string",
        "d": "decimal(9,2)",
        "wide": "decimal(12, 2)",
        "p": "struct<x:double>",
    },
    "zones": {"a": "int", "z": "string", "weight": "decimal(30,2)"},
}
HOUR = "date_trunc('HOUR', `{}`.`_event_time`)"


def ranged(text: str) -> str:
    return range_sql(text, TYPES).text


def test_the_hour_is_selected_and_grouped_by_and_nothing_else_is_written_anew() -> None:
    hour = HOUR.format("e")
    text = """-- What sells, FROM 1 on.
    SELECT  e.s AS `FROM`, ')' AS t, sum(CASE WHEN n > 0 THEN n ELSE 0 END) AS n -- of all, HAVING none
    FROM Events AS e
    WHERE e.a IS DISTINCT FROM 1 AND s LIKE '%GROUP BY%'
    GROUP BY 1, e.s /* and the hour */
    HAVING count(*) > 1 -- twice"""
    expected = text.replace("AS n --", f"AS n, {hour} AS `__hour` --", 1)
    expected = expected.replace("1, e.s /*", f"1, e.s, {hour} /*")
    assert ranged(text) == expected


def test_rows_without_aggregates_have_their_hour() -> None:
    hour = HOUR.format("events")
    assert ranged("SELECT DISTINCT s FROM events WHERE f > 1") == (
        f"SELECT DISTINCT s, {hour} AS `__hour` FROM events WHERE f > 1"
    )


@pytest.mark.parametrize(
    "text",
    [
        "SELECT s, min(f), max(p) AS m FROM events GROUP BY s",
        "SELECT s, max(s) || '!', max(-a) + 1, max(DISTINCT n) - 1 FROM events GROUP BY s",
        "SELECT s, count(*), count(DISTINCT f, s), count_if(f > 1), bool_or(a = 1) FROM events GROUP BY s",
        "SELECT s, sum(n) FILTER (WHERE f > 1), sum(DISTINCT a), sum(d) / count(*) FROM events GROUP BY s",
        "SELECT s, sum(CAST(f AS DECIMAL(9, 6))), sum(coalesce(-a * 2, 0L)) FROM events GROUP BY s",
        "SELECT s, sum(if(f > 1, d, 0)), sum(CASE WHEN f > 1 THEN NULL ELSE 1 END) FROM events GROUP BY s",
        "SELECT extract(HOUR FROM _event_time) AS h, count(*) FROM events GROUP BY h",
        "SELECT p.x, z, count(*) FROM events LEFT JOIN zones USING (a) GROUP BY ALL".replace(
            "ALL", "1, 2"
        ),
        "SELECT e.a, sum(z.a) FROM events e JOIN zones z ON e.a = z.a AND z.z <> 'x' GROUP BY e.a",
        "SELECT e.a FROM events e, zones z WHERE e.a = z.a AND e.s IN ('x', 'y')",
    ],
)
def test_what_is_the_same_whatever_the_order_of_rows_is_ranged(text: str) -> None:
    assert "__hour" in ranged(text)


@pytest.mark.parametrize(
    ("text", "most_rows"),
    [
        ("SELECT s, sum(n), max(f) FROM events GROUP BY s", None),
        # 2^53 whole numbers of 31 bits each, or of nine digits.
        ("SELECT s, avg(a) FROM events GROUP BY s", 4_194_304),
        ("SELECT s, avg(d) FROM events GROUP BY s", 9_007_199),
        ("SELECT s, avg(d), avg(a) FROM events GROUP BY s", 4_194_304),
        ("SELECT s, avg(wide) FROM events GROUP BY s", None),
    ],
)
def test_means_are_exact_up_to_some_rows(text: str, most_rows: int | None) -> None:
    assert range_sql(text, TYPES).most_rows == most_rows


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("SELECT count(*) FROM events", "without GROUP BY"),
        ("SELECT count(*) FROM events HAVING count(*) > 1", "without GROUP BY"),
        ("SELECT s, sum(f) FROM events GROUP BY s", "sum depends on the order of rows"),
        ("SELECT s, sum(s) FROM events GROUP BY s", "sum depends on the order of rows"),
        ("SELECT s, sum(p.x) FROM events GROUP BY s", "sum depends on the order of rows"),
        ("SELECT s, sum(a / 2) FROM events GROUP BY s", "sum depends on the order of rows"),
        ("SELECT s, sum(d * 2) FROM events GROUP BY s", "sum depends on the order of rows"),
        (
            "SELECT s, sum(if(f > 1, f, 0)) FROM events GROUP BY s",
            "sum depends on the order of rows",
        ),
        (
            "SELECT s, sum(weight) FROM events JOIN zones USING (a) GROUP BY s",
            "depends on the order",
        ),
        ("SELECT s, avg(f) FROM events GROUP BY s", "avg depends on the order of rows"),
        ("SELECT s, avg(n) FROM events GROUP BY s", "exact for few rows"),
        (
            "SELECT s, avg(e.a) FROM events e JOIN zones z ON e.a = z.a GROUP BY s",
            "exact for few rows",
        ),
        ("SELECT s, 1 / max(f) FROM events GROUP BY s", "max of what may be floating"),
        ("SELECT s FROM events GROUP BY s HAVING min(f) > 0", "min of what may be floating"),
        ("SELECT s, first(n) FROM events GROUP BY s", "first"),
        ("SELECT s, any_value(n) FROM events GROUP BY s", "any_value"),
        ("SELECT s, max_by(n, f) FROM events GROUP BY s", "arg_max"),
        ("SELECT s, collect_list(n) FROM events GROUP BY s", "array_agg"),
        ("SELECT s, stddev(n) FROM events GROUP BY s", "stddev"),
        ("SELECT s, own(s) FROM events", "own"),
        ("SELECT s, rand() FROM events", "rand"),
        ("SELECT s, current_date FROM events", "current_date"),
        ("SELECT s, now() FROM events", "now"),
        ("SELECT s, user FROM events", "user, which is no column"),
        ("SELECT s, max(f) AS m, 1 / m FROM events GROUP BY s", "m, which is no column"),
        ("SELECT explode(p) FROM events", "explode"),
        ("SELECT s COLLATE UNICODE_CI AS c, count(*) FROM events GROUP BY 1", "collate"),
        ("SELECT * FROM events", "selects *"),
        ("SELECT s, row_number() OVER (ORDER BY s) FROM events", "WINDOW"),
        ("SELECT s, count(*) FROM events GROUP BY ROLLUP(s)", "ROLLUP"),
        ("SELECT s, count(*) FROM events GROUP BY s WITH CUBE", "more than a list"),
        ("SELECT s, count(*) FROM events GROUP BY GROUPING SETS (s, ())", "GROUPINGSETS"),
        ("SELECT s, count(*) FROM events GROUP BY ALL", "more than a list"),
        ("SELECT s FROM events ORDER BY s", "ORDER"),
        ("SELECT s FROM events LIMIT 3", "LIMIT"),
        ("SELECT s FROM (SELECT * FROM events) GROUP BY s", "more than plain views"),
        ("WITH e AS (SELECT 1) SELECT s FROM events", "WITH"),
        ("SELECT s FROM events UNION ALL SELECT s FROM events", "not one SELECT"),
        ("SELECT s FROM events; SELECT s FROM events", "not one SELECT"),
        ("SELECT s FROM events WHERE a IN (SELECT a FROM zones)", "SUBQUERY"),
        ("SELECT s FROM events WHERE EXISTS (SELECT a FROM zones)", "exists"),
        ("SELECT s FROM events VERSION AS OF 3", "more than plain views"),
        ("SELECT s FROM us.events", "more than plain views"),
        ("SELECT s FROM events TABLESAMPLE (5 ROWS)", "more than plain views"),
        ("SELECT s FROM events LATERAL VIEW explode(p) t AS u", "LATERALS"),
        ("SELECT e.s FROM events e JOIN events o ON e.a = o.a", "joins other than"),
        ("SELECT e.s FROM events e FULL JOIN zones z ON e.a = z.a", "neither inner nor left"),
        ("SELECT e.s FROM events e RIGHT JOIN zones z ON e.a = z.a", "neither inner nor left"),
        ("SELECT e.s FROM events e NATURAL JOIN zones z", "neither inner nor left"),
        ("SELECT z FROM zones", "joins other than"),
        ("SELECT s FROM sales", "neither events nor reference data"),
        ("FROM events SELECT s", "not SQL"),
        ("SELECT s FROM (", "not SQL"),
        ("SELECT 1", "more than plain views"),
    ],
)
def test_what_is_not_surely_the_same_is_not_ranged(text: str, reason: str) -> None:
    with pytest.raises(NotRangedError) as refused:
        ranged(text)
    assert reason.lower() in str(refused.value).lower()
