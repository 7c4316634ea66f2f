"""Reference data in Spark: typed, and joined as of a row's own time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
from pyspark.sql import SparkSession
from pyspark.sql import functions as sf
from pyspark.sql import types as st

from pipeline.batch.compute.as_of import join_as_of
from pipeline.batch.compute.references import reference_frame
from pipeline.contract.load import load_product
from pipeline.settings import load_settings

T0 = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
MOMENT = timedelta(microseconds=1)
TIME = pa.timestamp("us", "UTC")


def test_a_row_gets_what_held_at_its_time_and_stays_one_row(spark: SparkSession) -> None:
    history = pa.table(
        {
            "a": ["x", "x", "x", "y"],
            "b": [1, 1, 1, 1],
            "valid_from": pa.array([None, T0, T0 + DAY, T0], TIME),
            "value": ["always", "first", None, "later"],
        }
    )
    asked = [
        ("x", 1, T0 - MOMENT, "always"),
        ("x", 1, T0, "first"),
        ("x", 1, T0 + DAY - MOMENT, "first"),
        ("x", 1, T0 + DAY, None),
        ("y", 1, T0 - MOMENT, None),
        ("y", 1, T0, "later"),
        ("x", 2, T0, None),
        (None, 1, T0, None),
    ]
    columns = list(zip(*asked, strict=True))
    rows = pa.table(
        {
            "a": pa.array(columns[0], pa.string()),
            "b": pa.array(columns[1], pa.int64()),
            "seen": pa.array(columns[2], TIME),
            "expected": pa.array(columns[3], pa.string()),
        }
    )
    session = spark.newSession()
    joined = join_as_of(
        session.createDataFrame(rows),
        session.createDataFrame(history),
        ["a", "b"],
        sf.col("seen"),
        ["value"],
    )
    assert joined.columns == ["a", "b", "seen", "expected", "value"]
    found = joined.toArrow().to_pylist()
    assert len(found) == len(asked)
    assert [row["value"] for row in found] == [row["expected"] for row in found]


def test_references_have_the_payloads_types_and_instants(spark: SparkSession) -> None:
    session = spark.newSession()
    viewing = load_product(load_settings().contracts / "viewing_events")
    content = reference_frame(session, viewing, viewing.references[0])
    assert content.schema["valid_from"].dataType == st.TimestampType()
    assert content.schema["content_id"].dataType == st.StringType()
    assert content.schema["runtime_s"].dataType == st.LongType()
    assert content.where("valid_from IS NULL").count() == 400
    departures = load_product(load_settings().contracts / "departures")
    weather = reference_frame(session, departures, departures.references[0])
    assert weather.schema["time_hour"].dataType == st.TimestampType()
    first = weather.orderBy("origin", "time_hour").limit(1).toArrow().to_pylist()[0]
    assert (first["origin"], first["time_hour"].isoformat()) == (
        "EWR",
        "2013-01-01T06:00:00+00:00",
    )
