"""Custom queries, counted of all hours of a range at once, find of each hour what they find of it alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pyarrow as pa
import pytest
import yaml
from pyspark.sql import DataFrame, SparkSession

from pipeline.batch.sql.range_query import BATCH, HOURS, View, range_query
from pipeline.batch.wap.audit_frame import StagedRows
from pipeline.contract.model import DerivedTable
from pipeline.settings import PROJECT
from quality.audit import audit
from quality.audit_hours import audit_hours
from quality.counting.hours import hour_at
from tests.support.audits import said, table_expecting
from tests.support.drawn_queries import drawn_query
from tests.support.orders import hour

AUDITED = (0, 1, 2, 3, 4, 6)
EVENTS = {0: 9, 1: 1, 3: 4, 4: 12, 5: 7, 6: 3}
"""How many events an hour has: 2 has none, those of 3 have no values, and 5 is none that is audited."""
NO_VALUES = 3
ZONES = [("a", 1), ("b", None), (None, 3)]
Tables = Mapping[str, DataFrame]


def drawn_rows(draw: Random, number: int) -> tuple[Any, ...]:
    at = hour(number) + timedelta(seconds=draw.choice((0, 1, 3_599)))
    if number == NO_VALUES:
        return at, None, None, None
    return (
        at,
        draw.choice(("a", "b", "c", None)),
        draw.choice(("a", "x", None)),
        draw.choice((0, 1, 2, 3, None)),
    )


def tables(session: SparkSession, seed: int) -> Tables:
    """Return drawn rows of all views; some hour may have anything, and every audited one has a row."""
    draw = Random(seed)  # noqa: S311
    events = [drawn_rows(draw, number) for number, count in EVENTS.items() for _ in range(count)]
    batch = [
        (hour(number), *drawn_rows(draw, number)[1:])
        for number in AUDITED
        for _ in range(draw.randint(1, 6))
    ]
    at, rest = (
        pa.timestamp("us", "UTC"),
        [("k", pa.string()), ("r", pa.string()), ("n", pa.int32())],
    )
    return {
        "events": frame(session, events, [("_event_time", at), *rest]),
        "{batch}": frame(session, batch, [("hour", at), *rest]),
        "zones": frame(session, ZONES, rest[1:]),
    }


def frame(
    session: SparkSession, rows: list[Any], fields: list[tuple[str, pa.DataType]]
) -> DataFrame:
    names = [name for name, _ in fields]
    table = pa.Table.from_pylist(
        [dict(zip(names, row, strict=True)) for row in rows], pa.schema(fields)
    )
    return session.createDataFrame(table)


def of_hour(found: Tables, of: datetime) -> Tables:
    at = f"TIMESTAMP '{of.isoformat()}'"
    return {
        "events": found["events"].where(f"date_trunc('HOUR', _event_time) = {at}"),
        "{batch}": found["{batch}"].where(f"hour = {at}"),
        "zones": found["zones"],
    }


@pytest.fixture(scope="module")
def session(spark: SparkSession) -> SparkSession:
    found = spark.newSession()
    found.conf.set("spark.sql.session.timeZone", "UTC")
    found.conf.set("spark.sql.shuffle.partitions", "1")
    found.conf.set("spark.sql.adaptive.enabled", "false")
    return found


def drawn_queries(seed: int) -> Iterator[tuple[str, str]]:
    """Yield queries with what counts them of all hours."""
    draw = Random(seed)  # noqa: S311
    views = {
        "events": View(
            {"k": "string", "r": "string", "n": "int"}, "date_trunc('HOUR', `_event_time`)"
        ),
        BATCH: View({"k": "string", "r": "string", "n": "int"}, "`hour`"),
        "zones": View({"r": "string", "n": "int"}, None),
    }
    for _ in range(3):
        query = drawn_query(draw)
        yield query, range_query(query, views)


@pytest.mark.parametrize("seed", range(3))
def test_any_query_finds_in_a_range_what_it_finds_in_each_hour(
    session: SparkSession, seed: int
) -> None:
    found = tables(session, seed)
    for query, together in drawn_queries(seed):
        for name, rows in found.items():
            rows.createOrReplaceTempView(BATCH if name == "{batch}" else name)
        hours = found["{batch}"].select("hour").distinct()
        hours.createOrReplaceTempView(HOURS)
        told = session.sql(together).selectExpr("unix_seconds(hour)", "rows").collect()
        counted = {hour_at(at): rows for at, rows in told}
        alone = {}
        for number in AUDITED:
            for name, rows in of_hour(found, hour(number)).items():
                rows.createOrReplaceTempView("batch" if name == "{batch}" else name)
            alone[hour(number)] = session.sql(query.format(batch="batch")).count()
        assert {of: counted.get(of, 0) for of in alone} == alone, query


def completeness() -> str:
    """Return the completeness query of `user_preference_features`, of this test's columns."""
    contract = yaml.safe_load(
        (PROJECT / "contracts/user_preference_features/contract.yaml").read_text()
    )
    (query,) = (
        stated["implementation"]["kwargs"]["unexpected_rows_query"]
        for stated in contract["schema"][0]["quality"]
        if "segments" in stated["description"]
    )
    return str(query).replace("user_id", "k").replace("region", "r")


QUERIES = [
    completeness(),
    "SELECT DISTINCT r FROM {batch} WHERE n > 2",
    "SELECT e.k FROM events AS e LEFT ANTI JOIN {batch} AS b ON e.k = b.k WHERE e.k IS NOT NULL",
    "SELECT 1 FROM events HAVING count(*) = 0",
    "SELECT 1 FROM events HAVING sum(n) IS NULL",
    "SELECT z.r FROM zones AS z LEFT JOIN {batch} AS b ON z.r = b.r WHERE b.r IS NULL AND z.n = 1",
    "SELECT k FROM {batch} GROUP BY k, r HAVING count(*) > 1",
]
NEVER = "SELECT DISTINCT k FROM {batch} WHERE n > 99"
ALONE = "SELECT DISTINCT k FROM {batch} ORDER BY k LIMIT 0"
RAISES = "SELECT 7 FROM {batch} GROUP BY r HAVING 1 DIV min(n) > 1"


@dataclass(frozen=True)
class Given(StagedRows):
    """Rows of the test's own, as if they were staged; notes which hours are looked at alone."""

    tables: Tables
    derived_table: DerivedTable
    looked_at: list[datetime]

    @property
    def hours(self) -> tuple[datetime, ...]:
        return tuple(map(hour, AUDITED))

    @property
    def row_counts(self) -> Mapping[datetime, int]:
        counted = self.together().selectExpr("unix_seconds(hour) AS at").groupBy("at").count()
        return {hour_at(at): rows for at, rows in counted.collect()}

    def together(self) -> DataFrame:
        return self.tables["{batch}"]

    def inputs_together(self, _session: SparkSession) -> Collection[str]:
        for name in ("events", "zones"):
            self.tables[name].createOrReplaceTempView(name)
        return ("events", "zones")

    def alone(self, of: datetime, passed: Collection[datetime]) -> DataFrame:
        assert of not in passed
        self.looked_at.append(of)
        return self.rows_of(of)

    def rows_of(self, of: datetime) -> DataFrame:
        mine = of_hour(self.tables, of)
        for name in ("events", "zones"):
            mine[name].createOrReplaceTempView(name)
        return mine["{batch}"]


@pytest.mark.parametrize("queries", [*([query] for query in QUERIES), QUERIES])
def test_an_hours_result_is_that_of_an_audit_of_it_alone(
    session: SparkSession, queries: list[str]
) -> None:
    looked_at, broken = audited(session, queries)
    assert broken
    assert looked_at == broken


def test_hours_that_break_nothing_are_not_looked_at_alone(session: SparkSession) -> None:
    assert audited(session, [NEVER]) == ([], [])


@pytest.mark.parametrize("query", [ALONE, RAISES])
def test_what_cannot_be_counted_together_is_asked_of_each_hour(
    session: SparkSession, query: str
) -> None:
    looked_at, _ = audited(session, [NEVER, query])
    assert set(looked_at) == {hour(number) for number in AUDITED}


def audited(session: SparkSession, queries: list[str]) -> tuple[list[datetime], list[datetime]]:
    """Return which hours are looked at alone, and which are broken; results are those of audits of each."""
    asked = [("unexpected_rows_expectation", {"unexpected_rows_query": one}) for one in queries]
    table = table_expecting(asked).model_copy(update={"references": ("zones",)})
    given = Given(None, None, tables(session, 7), table, [])  # type: ignore[arg-type]
    found = audit_hours(given, table)
    alone = {of: audit(given.rows_of(of), table) for of in given.hours}
    assert {of: said(one) for of, one in found.items()} == {
        of: said(one) for of, one in alone.items()
    }
    return given.looked_at, [of for of, one in alone.items() if not one.passed]
