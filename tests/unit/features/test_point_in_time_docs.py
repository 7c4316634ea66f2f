"""docs/explanation/point-in-time.md: its example and its SQL are true."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import polars as pl
import pytest

from pipeline.features.point_in_time import point_in_time_join
from pipeline.features.times import UTC_MICROS
from pipeline.settings import PROJECT

PAGE = (PROJECT / "docs" / "explanation" / "point-in-time.md").read_text()
DAY = datetime(2026, 3, 1, tzinfo=UTC)
HISTORY = "viewing_events.user_preference_features_history"


def table(head: str) -> list[list[str]]:
    """Return the cells of the page's table that begins with a column."""
    body = PAGE.split(f"| {head} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in body]


def time(text: str) -> datetime:
    clock = datetime.strptime(text[-5:], "%H:%M")  # noqa: DTZ007 - the day is added
    later = timedelta(days=7) if text.startswith("7 days later") else timedelta(0)
    return DAY + later + timedelta(hours=clock.hour, minutes=clock.minute)


@pytest.fixture(scope="module")
def history() -> pl.DataFrame:
    lines = [
        {
            "user_id": "ann",
            "region": "us",
            "confidence": float(confidence),
            "hour": time(hour),
            "feature_time": time(feature_time),
            "known_from": time(known_from),
            "build": build,
        }
        for hour, build, confidence, feature_time, known_from in table("hour")
    ]
    return pl.DataFrame(lines).cast({pl.Datetime: UTC_MICROS})


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    lines = [
        {
            "n": n,
            "user_id": "ann",
            "region": "us",
            "t": time(t),
            "known_at": time(t if k == "t" else k),
        }
        for n, (t, k, _, _) in enumerate(table("t"))
    ]
    return pl.DataFrame(lines).cast({pl.Datetime: UTC_MICROS})


@pytest.fixture(scope="module")
def promised() -> list[float | None]:
    return [None if value == "null" else float(value) for _, _, value, _ in table("t")]


def test_the_example_comes_out_as_the_page_says(
    history: pl.DataFrame, rows: pl.DataFrame, promised: list[float | None]
) -> None:
    found = point_in_time_join(
        rows,
        history.drop("hour"),
        entity=("user_id", "region"),
        timestamp=rows["t"],
        known_at=rows["known_at"],
        ttl=timedelta(days=7),
    )
    assert found.get_column("confidence").to_list() == promised
    assert len(promised) == 8
    assert history.select((pl.col("hour") + timedelta(hours=1)).alias("feature_time")).equals(
        history.select("feature_time")
    )


def test_the_sql_gives_the_same(
    history: pl.DataFrame, rows: pl.DataFrame, promised: list[float | None]
) -> None:
    found = re.search(r"```sql\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    base = duckdb.connect()
    base.execute("SET TimeZone = 'UTC'")
    base.execute("ATTACH ':memory:' AS us; CREATE SCHEMA us.viewing_events")
    publications = history.select(
        pl.col("build").alias("wap_id"),
        "hour",
        pl.col("known_from").alias("published_at"),
        pl.lit(HISTORY).alias("table"),
    )
    tables: dict[str, Any] = {
        f"us.{HISTORY}": history.drop("feature_time", "known_from"),
        "us.viewing_events.publications": publications,
        "rows": rows,
    }
    for name, frame in tables.items():
        base.register("given", frame.to_arrow())
        base.execute(f"CREATE TABLE {name} AS SELECT * FROM given")
        base.unregister("given")
    assert base.sql(found[1]).pl().get_column("confidence").to_list() == promised
