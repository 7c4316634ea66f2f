"""Which queries over an hour are counted of all hours of a range at once, and why others are not."""

from __future__ import annotations

import pytest

from pipeline.batch.sql.known import NotRangedError
from pipeline.batch.sql.range_query import BATCH, View, range_query

EVENTS = {
    "_event_time": "timestamp",
    "k": "string",
    "a": "int",
    "n": "bigint",
    "f": "double",
    "d": "decimal(9,2)",
    "wide": "decimal(20,2)",
    "p": "struct<x:double>",
}
ROWS = {"hour": "timestamp", "k": "string", "n": "bigint", "unknown": ""}
VIEWS = {
    "events": View(EVENTS, "date_trunc('HOUR', `_event_time`)"),
    "zones": View({"k": "string", "z": "int"}, None),
    BATCH: View(ROWS, "`hour`"),
}


def test_a_query_of_rows_is_grouped_by_their_hour() -> None:
    assert range_query("SELECT k FROM {batch} WHERE n > 1 -- too many", VIEWS) == (
        "SELECT __audit_hour_1 AS hour, COUNT(*) AS rows FROM ("
        "SELECT k, __audit_hour_0 AS __audit_hour_1 FROM ("
        "SELECT *, `hour` AS __audit_hour_0 FROM __audit_batch) WHERE n > 1"
        ") GROUP BY __audit_hour_1"
    )


def test_an_aggregate_without_groups_has_a_row_of_every_hour() -> None:
    assert range_query("SELECT 1 FROM events HAVING count(*) + sum(n) < 9", VIEWS) == (
        "SELECT __audit_hour_1 AS hour, COUNT(*) AS rows FROM ("
        "SELECT 1, __audit_hours.hour AS __audit_hour_1 FROM __audit_hours LEFT JOIN ("
        "SELECT COUNT(*) AS __audit_value_3, SUM(n) AS __audit_value_4, __audit_hour_0 AS __audit_hour_2"
        " FROM (SELECT *, DATE_TRUNC('HOUR', `_event_time`) AS __audit_hour_0 FROM events) AS `events`"
        " GROUP BY __audit_hour_0) ON __audit_hours.hour = __audit_hour_2"
        " WHERE COALESCE(__audit_value_3, CAST(0 AS BIGINT)) + __audit_value_4 < 9"
        ") GROUP BY __audit_hour_1"
    )


@pytest.mark.parametrize(
    "query",
    [
        "SELECT DISTINCT k FROM {batch}",
        "select B.K from {batch} as B where B.n is not null and not (b.n not in (1, 2));",
        "SELECT b.* FROM {batch} AS b LEFT ANTI JOIN Events e ON b.k = e.k",
        "SELECT b.* FROM {batch} AS b LEFT OUTER JOIN events AS e ON b.k = e.k WHERE e.k IS NULL",
        "SELECT * FROM zones z LEFT JOIN {batch} b ON z.k = b.k WHERE b.k IS NULL",
        "SELECT e.k FROM events AS e CROSS JOIN zones AS z WHERE e.a < z.z",
        "SELECT p.x, count(DISTINCT f) AS c FROM events GROUP BY 1 HAVING c > 1",
        "SELECT k AS key, max(n) AS m FROM {batch} GROUP BY key",
        "SELECT s FROM (SELECT sum(d) AS s, sum(a) FILTER (WHERE f > 0), sum(n + 1) FROM events)",
        "SELECT c FROM (SELECT count(*) AS c FROM {batch}) AS b WHERE c < 10",
        "SELECT m FROM (SELECT max(c) AS m FROM (SELECT k, count(*) AS c FROM {batch} GROUP BY k))",
        "SELECT avg(wide) AS m FROM events HAVING avg(wide) > 1 AND max(_event_time) IS NULL",
        "SELECT * FROM (SELECT * FROM {batch} WHERE k LIKE '%\\'x') WHERE k RLIKE '^a'",
    ],
)
def test_what_keeps_hours_apart_is_counted_of_all_at_once(query: str) -> None:
    assert range_query(query, VIEWS).startswith("SELECT __audit_hour_")


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("SELECT k FROM", "not SQL that is understood"),
        ("DELETE FROM {batch}", "not one SELECT"),
        ("SELECT k FROM {batch}; SELECT 1", "not one SELECT"),
        ("SELECT k FROM {batch} UNION ALL SELECT k FROM events", "not one SELECT"),
        ("SELECT k FROM {batch} WHERE k = '{limit}'", "parameters"),
        ("SELECT k AS __AUDIT_x FROM {batch}", "names that an audit uses"),
        ("SELECT nvl(k, '') FROM {batch}", "would be others"),
        ("SELECT e.k FROM events e, {batch} b WHERE e.k = b.k", "would be others"),
        ("SELECT k FROM {batch} WHERE forall(array(1), x -> x > n)", "whether forall gives"),
        ("SELECT 1", "reads nothing"),
        ("SELECT k FROM previous", "reads previous"),
        ("SELECT k FROM us.orders.events", "more than plain views"),
        ("SELECT k FROM range(9)", "more than plain views"),
        ("SELECT k FROM {batch} TABLESAMPLE (5 ROWS)", "more than plain views"),
        ("SELECT c FROM {batch} AS b(c)", "more than plain views"),
        ("SELECT k FROM ({batch} AS b JOIN events e ON b.k = e.k)", "more than plain views"),
        ("WITH w AS (SELECT k FROM {batch}) SELECT k FROM w", "it has WITH"),
        ("SELECT k FROM {batch} ORDER BY n", "it has ORDER"),
        ("SELECT k FROM {batch} LIMIT 1", "it has LIMIT"),
        ("SELECT k FROM {batch} QUALIFY n > 1", "would be others"),
        ("SELECT x FROM {batch} LATERAL VIEW explode(array(n)) t AS x", "it has LATERALS"),
        ("SELECT row_number() OVER (ORDER BY n) FROM {batch}", "whether WINDOW gives"),
        ("SELECT k FROM {batch} WHERE n > rand()", "whether rand gives"),
        ("SELECT k FROM {batch} WHERE n > my_function(n)", "whether my_function gives"),
        (
            "SELECT k FROM {batch} WHERE hour < current_timestamp()",
            "whether current_timestamp gives",
        ),
        ("SELECT k FROM {batch} WHERE k = current_user", "would be others"),
        ("SELECT k FROM {batch} WHERE absent > 1", "absent, which is no column"),
        ("SELECT c FROM (SELECT count(*) AS n FROM {batch})", "c, which is no column"),
        (
            "SELECT e.k FROM {batch} AS b LEFT ANTI JOIN events AS e ON b.k = e.k",
            "e.k, which is no",
        ),
        ("SELECT e.* FROM {batch} AS b LEFT ANTI JOIN events AS e ON b.k = e.k", "e.* of what"),
        ("SELECT k FROM {batch} WHERE n > (SELECT max(n) FROM {batch})", "a query inside"),
        ("SELECT k FROM {batch} WHERE k IN (SELECT k FROM events)", "a query inside"),
        (
            "SELECT b.k FROM {batch} AS b RIGHT JOIN events AS e ON b.k = e.k",
            "neither inner nor left",
        ),
        (
            "SELECT b.k FROM {batch} AS b FULL JOIN events AS e ON b.k = e.k",
            "neither inner nor left",
        ),
        ("SELECT k FROM {batch} JOIN events USING (k)", "USING or NATURAL"),
        ("SELECT 1 FROM {batch} NATURAL JOIN events", "USING or NATURAL"),
        ("SELECT DISTINCT * FROM {batch}", "DISTINCT *"),
        ("SELECT * FROM {batch} GROUP BY k", "beside a grouping"),
        ("SELECT struct(*) FROM {batch}", "whether struct gives"),
        ("SELECT k FROM {batch} GROUP BY ALL", "more than a list"),
        ("SELECT k FROM {batch} GROUP BY k WITH ROLLUP", "more than a list"),
        ("SELECT k FROM {batch} WHERE count(*) > 1", "count in a condition"),
        ("SELECT n + count(*) FROM {batch}", "a column beside aggregates"),
        ("SELECT count(*) AS c FROM {batch} HAVING c > 1", "c, which is no column"),
        ("SELECT sum(f) FROM events", "sum depends on the order of rows"),
        ("SELECT sum(unknown) FROM {batch}", "known to be that"),
        ("SELECT sum(e.n) FROM {batch} AS b JOIN events e ON sum(b.n) = 1", "sum in a condition"),
        ("SELECT avg(n) FROM events", "avg is exact for few rows only"),
        (
            "SELECT k FROM events GROUP BY k HAVING max(f) > 1",
            "max is of what may be floating point",
        ),
        ("SELECT first(k) FROM events", "whether first gives"),
        ("SELECT collect_list(k) FROM events", "whether array_agg gives"),
        ("SELECT /*+ BROADCAST(b) */ k FROM {batch} AS b", "it has HINT"),
    ],
)
def test_what_may_tell_otherwise_of_an_hour_in_a_range_says_why(query: str, reason: str) -> None:
    with pytest.raises(NotRangedError) as refused:
        range_query(query, VIEWS)
    assert reason in str(refused.value)
