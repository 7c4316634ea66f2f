"""Data files of events: one hour each, sorted, near a target size, and skipped by who need not read them."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlparse

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest
from pyiceberg.table import Table
from pyspark.sql import SparkSession

from pipeline.cells import Cell
from pipeline.ingest.commit.tables import ensure_tables
from pipeline.kafka.identity import TopicIdentity
from pipeline.ledger.model import Entry, ledger_summary
from pipeline.spark.session import own_session
from pipeline.tables.commit import OffsetCommit, commit
from pipeline.tables.data_files.live import live_files
from pipeline.tables.data_files.write import ORDER, write_hours
from tests.support.orders import hour, orders_product

ROWS = 20_000
TARGET = 64 * 1024
TOPIC = TopicIdentity("cluster", "orders", "id", (0,))


@pytest.fixture
def events(quiet_cell: Cell, tmp_path: Path) -> Table:
    """Rows of two hours in no order, written in files of about `TARGET` bytes."""
    table, _ = ensure_tables(quiet_cell, orders_product(tmp_path))
    columns = pl.from_arrow(table.schema().as_arrow().empty_table())
    assert isinstance(columns, pl.DataFrame)
    chance = random.Random(5)  # noqa: S311 - repeatable, not secret
    offsets = list(range(ROWS))
    times = [hour(0) + timedelta(seconds=chance.randrange(7_200)) for _ in offsets]
    texts = [f"{chance.getrandbits(128):032x}" for _ in offsets]
    frame = pl.DataFrame(
        {
            "_topic": "orders",
            "_topic_id": "id",
            "_topic_partition": [0] * ROWS,
            "_offset": offsets,
            "_record_time": times,
            "_ingested_at": times,
            "_run_id": "run",
            "_uuid": texts,
            "_key": texts,
            "_event_time": times,
            "_schema_version": [1] * ROWS,
            "_late": [False] * ROWS,
        }
    )
    rows = pl.concat([columns, frame], how="diagonal_relaxed").select(columns.columns)
    files = write_hours(table, [rows[: ROWS // 2], rows[ROWS // 2 :]], TARGET)
    said = OffsetCommit(
        TOPIC, {0: 0}, {0: ROWS}, ledger_summary([Entry(partition=0, start=0, end=ROWS, rows=ROWS)])
    )
    commit(table, files, said)
    return table.refresh()


def paths(table: Table, row_filter: str | None = None) -> list[str]:
    scan = table.scan() if row_filter is None else table.scan(row_filter=row_filter)
    return sorted(urlparse(task.file.file_path).path for task in scan.plan_files())


def test_each_file_holds_a_sorted_part_of_one_hour_near_the_target(events: Table) -> None:
    found = paths(events)
    assert len(found) > 4
    rows = 0
    for path in found:
        frame = pl.read_parquet(path)
        assert frame.select(*ORDER).equals(frame.sort(*ORDER).select(*ORDER))
        assert frame.get_column("_event_time").dt.hour().n_unique() == 1
        assert TARGET / 4 < Path(path).stat().st_size < TARGET * 2
        rows += len(frame)
    assert rows == ROWS


def test_bounds_are_those_of_the_rows(events: Table) -> None:
    for task in events.scan().plan_files():
        statistics = pq.read_metadata(urlparse(task.file.file_path).path)
        assert task.file.record_count == statistics.num_rows
        assert task.file.null_value_counts[events.schema().find_field("_uuid").field_id] == 0


def test_spark_and_iceberg_plan_only_the_files_that_hold_asked_for_times(
    spark: SparkSession, quiet_cell: Cell, events: Table
) -> None:
    late = "_event_time >= TIMESTAMP '" + f"{hour(1) + timedelta(minutes=50):%Y-%m-%d %H:%M:%S}'"
    session = own_session(spark, quiet_cell)
    session.conf.set("spark.sql.session.timeZone", "UTC")
    read = session.table("us.orders.events").where(late)
    names = {row[0] for row in read.selectExpr("input_file_name()").distinct().collect()}
    planned = paths(
        events, f"_event_time >= '{hour(1) + timedelta(minutes=50):%Y-%m-%dT%H:%M:%S}+00:00'"
    )
    assert {urlparse(name).path for name in names} <= set(planned)
    assert len(planned) < len(paths(events)) / 3
    wanted = pl.read_parquet(paths(events)).filter(
        pl.col("_event_time") >= hour(1) + timedelta(minutes=50)
    )
    assert read.count() == len(wanted)


def test_uuids_alone_have_bloom_filters_and_duckdb_passes_over_what_they_rule_out(
    events: Table,
) -> None:
    with duckdb.connect() as engine:
        query = "SELECT DISTINCT path_in_schema FROM parquet_metadata(?) "
        query += "WHERE bloom_filter_length > 0"
        assert engine.execute(query, [paths(events)]).fetchall() == [("_uuid",)]
        for path in paths(events):
            told = pl.read_parquet(path).get_column("_uuid")[0]
            probe = f"SELECT bloom_filter_excludes FROM parquet_bloom_probe('{path}', '_uuid', ?)"
            assert (False,) in engine.execute(probe, [told]).fetchall()
            asked = [engine.execute(probe, [f"{n:032x}"]).fetchall() for n in range(20)]
            assert sum((False,) in one for one in asked) < 10


def test_manifests_tell_the_files_that_pyiceberg_plans(events: Table) -> None:
    found = live_files(events)
    assert sorted(urlparse(file.path).path for file in found) == paths(events)
    assert sum(file.rows for file in found) == ROWS
    offset = events.schema().find_field("_offset").field_id
    for number in (0, ROWS // 2, ROWS - 1):
        may = {urlparse(one.path).path for one in found if one.may_hold(offset, number)}
        assert may == set(paths(events, f"_offset = {number}"))
    assert not any(one.may_hold(offset, ROWS) for one in found)


def test_duckdb_skips_row_groups_by_their_statistics(events: Table) -> None:
    with duckdb.connect() as engine:
        engine.execute("SET TimeZone = 'UTC'")
        query = "SELECT count(DISTINCT file_name) FROM parquet_metadata(?) WHERE "
        query += "path_in_schema = '_event_time' AND stats_max_value::TIMESTAMPTZ >= ?::TIMESTAMPTZ"
        at = hour(1) + timedelta(minutes=50)
        found = engine.execute(query, [paths(events), at]).fetchone()
        assert found is not None
        assert 0 < found[0] < len(paths(events)) / 3
        rows = "SELECT count(*) FROM read_parquet(?) WHERE _event_time >= ?"
        counted = engine.execute(rows, [paths(events), at]).fetchone()
        assert counted == (len(pl.read_parquet(paths(events)).filter(pl.col("_event_time") >= at)),)
