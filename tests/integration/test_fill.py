"""Rows that were kept whole get what they missed, once the contract lists the version that wrote them."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pyiceberg.table import Table
from pyspark.sql import SparkSession

from headwater.evolution import apply_product, plan_product
from pipeline.cells import Cell
from pipeline.evolution.model import Action, Step, Verdict
from pipeline.ingest.commit.tables import ensure_tables
from pipeline.ingest.operations import fill as filling
from pipeline.ingest.operations.fill import Filled, fill, plan_fill
from pipeline.ingest.run import ingest
from pipeline.ledger.verify import verify_ledger
from pipeline.spark.session import own_session
from pipeline.tables.data_files.rewrite import MAINTENANCE_KEY
from pipeline.tables.layout import RECORD_VALUE
from tests.integration.test_unlisted_versions import MIXED, Place, read_by, values_of
from tests.support.versions import Sent

OWN = ("_topic_partition", "_offset", "_uuid", "_key", "_event_time", "_schema_version", "_run_id")


@pytest.fixture(params=[True, False], ids=["envelope", "bare"])
def place(request: pytest.FixtureRequest, cell: Cell, tmp_path: Path) -> Place:
    return Place(cell, tmp_path, envelope=bool(request.param), unlisted="keep")


def own(rows: dict[str, dict[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[column] for column in OWN] for name, row in rows.items()}


def events(place: Place, versions: int) -> Table:
    """Return the table, following the contract that lists so many versions."""
    return ensure_tables(place.cell, place.contract(versions))[0]


def expect_whole(place: Place, sent: list[Sent], least: int = 2) -> None:
    """Expect one row an event, of versions from `least` on as the contract of version 3 reads it."""
    rows = place.rows()
    assert len(rows) == len(sent)
    for one in sent:
        row = rows[one.values["id"]]
        if one.version >= least:
            assert values_of(row, 3) == read_by(one, 3)
        assert row[RECORD_VALUE] is None


def test_kept_rows_are_filled_and_nothing_else_changes(place: Place) -> None:
    sent = place.send()
    ingest(place.cell, place.contract(1), once=True)
    before = place.rows()
    # Version 2 first: version 3 stays kept.
    table = events(place, 2)
    (step,) = plan_fill(place.cell, place.contract(2), table)
    assert (step.action, step.verdict) == (Action.FILL_ROWS, Verdict.REWRITE)
    assert step.detail == "2 rows of version 2"
    filled = fill(place.cell, place.contract(2), table)
    assert (filled.rows, filled.left, len(filled.hours)) == (2, 0, 1)
    rows = place.rows()
    for one in sent:
        row = rows[one.values["id"]]
        assert (row[RECORD_VALUE] is None) == (one.version < 3)
        assert one.version != 2 or values_of(row, 2) == read_by(one, 2)
    whole = place.contract(3)
    (due,) = [one for one in plan_product(place.cell, whole) if one.action is Action.FILL_ROWS]
    assert due.detail == "3 rows of version 3"
    told: list[Step] = []
    apply_product(place.cell, whole, told.append)
    assert told[-1].detail.startswith("3 rows filled; ")
    assert "2026-06-01T10" in told[-1].detail
    # Rows of version 2 were whole before: a column that came later is null in them.
    expect_whole(place, sent, least=3)
    assert own(place.rows()) == own(before)
    assert verify_ledger(place.cell, whole).balanced
    snapshot = events(place, 3).current_snapshot()
    assert snapshot is not None
    assert snapshot.summary is not None
    assert snapshot.summary.operation.value == "overwrite"
    assert snapshot.summary[MAINTENANCE_KEY] == "fill"
    # Again, there is nothing to do.
    assert plan_fill(place.cell, whole, events(place, 3)) == ()
    assert fill(place.cell, whole, events(place, 3)) == Filled()


@pytest.mark.parametrize("at", ["fill.written", "fill.committed"])
def test_a_filling_that_is_ended_anywhere_is_done_again(
    cell: Cell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    place = Place(cell, tmp_path, envelope=True, unlisted="keep")
    sent = place.send([[2] * 3, [3] * 2])
    ingest(cell, place.contract(1), once=True)
    whole = place.contract(3)

    def end(name: str) -> None:
        if name == at:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(filling, "failpoint", end)
        with pytest.raises(KeyboardInterrupt):
            fill(cell, whole, events(place, 3))
    fill(cell, whole, events(place, 3))
    expect_whole(place, sent)
    assert verify_ledger(cell, whole).balanced


def test_a_filling_goes_on_beside_a_busy_ingest(cell: Cell, tmp_path: Path) -> None:
    place = Place(cell, tmp_path, envelope=False, unlisted="keep")
    sent = place.send(MIXED)
    ingest(cell, place.contract(1), once=True)
    whole = place.contract(3)
    table = events(place, 3)
    stop, going = threading.Event(), threading.Event()
    worker = threading.Thread(
        target=lambda: ingest(cell, whole, stop=stop, on_commit=lambda _: going.set())
    )
    worker.start()
    try:
        sent += place.send(MIXED)
        assert going.wait(30)
        # The table as it was before that commit: the filling lands on top of it.
        assert fill(cell, whole, table).rows == 5
        sent += place.send(MIXED)
    finally:
        stop.set()
        worker.join(60)
    ingest(cell, whole, once=True)
    expect_whole(place, sent)
    assert verify_ledger(cell, whole).balanced


def test_every_engine_reads_kept_and_filled_rows_alike(
    spark: SparkSession, cell: Cell, tmp_path: Path
) -> None:
    place = Place(cell, tmp_path, envelope=True, unlisted="keep")
    sent = place.send(MIXED)
    ingest(cell, place.contract(1), once=True)
    table = events(place, 2)
    fill(cell, place.contract(2), table)
    for versions in (2, 3):
        table = events(place, versions)
        fill(cell, place.contract(versions), table)
        table = table.refresh()
        expected = {
            row["_offset"] * 2 + row["_topic_partition"]: (
                row["dev"]["name"],
                row["note"],
                row[RECORD_VALUE],
                row["amount"] if versions == 3 else None,
                row["tags"] if versions == 3 else None,
            )
            for row in place.rows().values()
        }
        assert len(expected) == len(sent)
        more = "amount, tags" if versions == 3 else "NULL, NULL"
        query = (
            "SELECT _offset * 2 + _topic_partition, dev.name, note, _record_value, "
            f"{more} FROM {{}} ORDER BY 1"
        )
        files = [task.file.file_path for task in table.scan().plan_files()]
        by_spark = own_session(spark, cell).sql(query.format("us.grows.events")).collect()
        assert {row[0]: _plain(row[1:]) for row in by_spark} == expected
        with duckdb.connect() as connection:
            by_duckdb = connection.sql(
                query.format(
                    "read_parquet($files, hive_partitioning = false, union_by_name = true)"
                ),
                params={"files": files},
            ).fetchall()
        assert {row[0]: _plain(row[1:]) for row in by_duckdb} == expected


def _plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(bytes(one) if isinstance(one, bytearray) else one for one in row)
