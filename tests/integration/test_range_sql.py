"""SQL of a range gives every hour, on Spark, what SQL of the hour gives of it alone, there and in DuckDB."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as sf

from pipeline.batch.planning.range_logic import RANGE_HOUR
from pipeline.batch.planning.range_sql import range_sql
from pipeline.clock import HOUR
from tests.support.orders import hour

SCHEMA = pa.schema(
    {
        "_event_time": pa.timestamp("us", "UTC"),
        "_schema_version": pa.int32(),
        "_late": pa.bool_(),
        "s": pa.string(),
        "a": pa.int32(),
        "n": pa.int64(),
        "d": pa.decimal128(9, 2),
        "f": pa.float64(),
    }
)
ZONES = pa.table({"s": ["x", "x", "y"], "z": ["one", "two", "three"], "w": [3, 4, 5]})
FLOATS = (None, 0.0, -0.0, math.nan, math.inf, -math.inf, -1.5, 2.5)
EVENTS = {0: 60, 1: 60, 2: 1, 4: 60}
"""How many events an hour has; the only one of hour 2 has no value, and those of hour 4 are late."""
LAST = 5

BOTH = [
    "SELECT s, count(*) AS c, sum(a) AS a, sum(n) AS n, avg(a) AS m FROM events GROUP BY s",
    "SELECT s, min(f) AS low, max(f) AS high, count(DISTINCT f) AS c FROM events GROUP BY s",
    "SELECT f, sum(d) AS d, min(s) AS s, max(_late) AS l FROM events GROUP BY 1",
    "SELECT s, sum(CASE WHEN f > 0 THEN d ELSE 0 END) AS d FROM events WHERE a IS NOT NULL GROUP BY s "
    "HAVING count(*) > 1",
    "SELECT e.s, z, count(*) AS c, sum(w) AS w FROM events e LEFT JOIN zones USING (s) GROUP BY e.s, z",
    "SELECT DISTINCT s, f, _schema_version AS v FROM events WHERE f <= 0 OR f IS NULL",
]
SPARK_ALONE = ["SELECT s, avg(d) AS m, count(DISTINCT s, a) AS c FROM events GROUP BY s"]
"""What DuckDB rounds or names otherwise."""


@pytest.fixture(scope="module")
def session(spark: SparkSession) -> SparkSession:
    found = spark.newSession()
    found.conf.set("spark.sql.session.timeZone", "UTC")
    found.conf.set("spark.sql.shuffle.partitions", "2")
    found.conf.set("spark.sql.adaptive.enabled", "false")
    found.createDataFrame(ZONES).createOrReplaceTempView("zones")
    return found


def drawn(seed: int) -> pa.Table:
    """Return events of two schema versions, of which any value may be missing; an hour's ends among them."""
    draw = random.Random(seed)  # noqa: S311
    last = HOUR - timedelta(microseconds=1)

    def event(number: int) -> dict[str, Any]:
        version = draw.choice((1, 2))
        has_values = EVENTS[number] > 1
        return {
            "_event_time": hour(number)
            + draw.choice((timedelta(0), last, timedelta(seconds=draw.randrange(3_600)))),
            "_schema_version": version,
            "_late": number == LAST - 1,
            "s": draw.choice((None, "", "x", "y", "é")) if has_values else None,
            "a": draw.choice((None, -(2**31), 2**31 - 1, 1, 2)) if has_values else None,
            "n": draw.choice((None, 2**55, -(2**55), 3, 4)) if has_values else None,
            "d": draw.choice((None, Decimal("-0.01"), Decimal("9999999.99"), Decimal("1.10")))
            if has_values and version == 2
            else None,
            "f": draw.choice(FLOATS) if has_values and version == 2 else None,
        }

    events = [event(number) for number, count in EVENTS.items() for _ in range(count)]
    return pa.Table.from_pylist(draw.sample(events, len(events)), schema=SCHEMA)


def told(rows: list[Any]) -> list[str]:
    """Return rows in one order, with values as they are: equal zeros are equal, and so are NaNs."""
    return sorted(
        repr([0.0 if value == 0 and isinstance(value, float) else value for value in row])
        for row in rows
    )


def of_hour(events: pa.Table, start: datetime) -> pa.Table:
    """Return the events of one hour."""
    kept = [start <= at < start + HOUR for at in events["_event_time"].to_pylist()]
    return events.filter(pa.array(kept))


def in_duckdb(events: pa.Table, statement: str) -> list[Any]:
    with duckdb.connect() as connection:
        connection.register("events", events)
        connection.register("zones", ZONES)
        return connection.sql(statement).fetchall()


@pytest.mark.parametrize("statement", [*BOTH, *SPARK_ALONE])
def test_each_hour_of_a_range_is_what_it_is_alone(session: SparkSession, statement: str) -> None:
    events = drawn(len(statement))

    def in_spark(of: pa.Table, text: str) -> Any:
        session.createDataFrame(of).createOrReplaceTempView("events")
        return session.sql(text)

    types = {
        name: dict(session.createDataFrame(of).dtypes)
        for name, of in (("events", events), ("zones", ZONES))
    }
    at_once = in_spark(events, range_sql(statement, types).text)
    rows = at_once.withColumn(RANGE_HOUR, sf.unix_seconds(RANGE_HOUR)).collect()
    assert {row[RANGE_HOUR] for row in rows} <= {hour(n).timestamp() for n in EVENTS}
    engines: list[Callable[[pa.Table], list[Any]]] = [
        lambda of: list(in_spark(of, statement).collect())
    ]
    if statement in BOTH:
        engines.append(lambda of: in_duckdb(of, statement))
    for number in range(LAST):
        found = told([row[:-1] for row in rows if row[RANGE_HOUR] == hour(number).timestamp()])
        for engine in engines:
            assert found == told(engine(of_hour(events, hour(number)))), number
    assert len(rows) > 5
