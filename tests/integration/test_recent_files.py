"""What is read of a table with many hours: what came last, however much there is."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pyiceberg.manifest import ManifestFile
from pyiceberg.table import Table

from pipeline.cells import Cell
from pipeline.control.append import PARTITION
from pipeline.control.publications import (
    HourSpan,
    Publication,
    read_publications,
    read_recorded,
    record,
)
from pipeline.hours.rows import rows_by_hour
from pipeline.maintenance.compact import compact
from pipeline.maintenance.plan import MaintenancePolicy
from pipeline.tables.catalog import load_table, open_catalog
from pipeline.tables.create import PROPERTIES
from pipeline.tables.data_files.manifests import size_class
from pipeline.tables.data_files.touched import all_files, touched_files
from pipeline.tables.layout import PUBLICATION_SCHEMA
from tests.support.orders import Orders, hour

POLICY = MaintenancePolicy(min_files=2, min_manifests=4)
HOURS = 16


@pytest.fixture
def grown(quiet_cell: Cell, monkeypatch: pytest.MonkeyPatch) -> Orders:
    """Orders of a day, hour after hour, compacted now and then; two files already fill a manifest."""
    orders = Orders(quiet_cell)
    orders.append([(hour(0), "eu", 1)])
    (one,) = manifests(events(quiet_cell))
    monkeypatch.setattr(
        "pipeline.tables.data_files.manifests.SIZES", (2 * (one.manifest_length + 300),)
    )
    for number in range(1, HOURS):
        orders.append([(hour(number), "eu", 1)])
        if number % 4 == 0:
            compact(events(quiet_cell), POLICY, whole=False)
    return orders


def events(cell: Cell) -> Table:
    return load_table(cell, "orders.events")


def manifests(table: Table) -> list[ManifestFile]:
    snapshot = table.current_snapshot()
    assert snapshot is not None
    return snapshot.manifests(table.io)


def test_old_manifests_are_left_alone_and_not_opened_for_the_newest_hours(
    grown: Orders, quiet_cell: Cell
) -> None:
    table = events(quiet_cell)
    closed = [one for one in manifests(table) if size_class(one.manifest_length)]
    assert len(closed) >= 3
    compact(table, POLICY, whole=False)
    table = events(quiet_cell)
    assert {one.manifest_path for one in closed} <= {one.manifest_path for one in manifests(table)}
    expected = rows_by_hour(table, hour(HOURS - 4))
    assert expected == {hour(number): 1 for number in range(HOURS - 4, HOURS)}
    Path(closed[-1].manifest_path.removeprefix("file://")).unlink()
    assert rows_by_hour(events(quiet_cell), hour(HOURS - 4)) == expected


def test_a_file_that_comes_to_an_old_hour_is_compacted_with_those_that_are_there(
    grown: Orders, quiet_cell: Cell
) -> None:
    grown.append([(hour(2), "eu", 1)])
    table = events(quiet_cell)
    files = [file for file in all_files(table) if file.partition[0] == _number(hour(2))]
    assert len(files) == 2
    touched = {file.file_path for file in touched_files(table)}
    assert {file.file_path for file in files} <= touched
    done = compact(table, POLICY, whole=False)
    assert (done.files, done.into) == (2, 1)
    assert rows_by_hour(events(quiet_cell))[hour(2)] == 2
    assert sum(rows_by_hour(events(quiet_cell)).values()) == len(grown.rows)


def test_compacting_what_was_touched_leaves_nothing_for_the_whole_table(
    grown: Orders, quiet_cell: Cell
) -> None:
    for number in (1, 5, 5, 9, HOURS):
        grown.append([(hour(number), "eu", 1), (hour(number + 1), "us", 2)])
    compact(events(quiet_cell), POLICY, whole=False)
    assert compact(events(quiet_cell), POLICY).files == 0
    assert sum(rows_by_hour(events(quiet_cell)).values()) == len(grown.rows)


def publication(number: int) -> Publication:
    at = hour(0) + timedelta(days=31 * number)
    return Publication(
        "orders.sales", at, at + timedelta(minutes=70), 1, 2, 3,
        f"staging-{number}", 5, "1.2.0", "run", 2,
        source_rows=10, inputs="", digest="5:1", handover="0:0",
    )  # fmt: skip


def test_publications_of_other_months_are_not_read_and_are_counted(quiet_cell: Cell) -> None:
    expected = [publication(number) for number in range(6)]
    for each in expected:
        assert record(quiet_cell, "orders", [each])
    table = load_table(quiet_cell, "orders.publications")
    for task in table.scan(f"hour < '{expected[4].hour.isoformat()}'").plan_files():
        Path(task.file.file_path.removeprefix("file://")).unlink()
    found = read_recorded(quiet_cell, "orders", HourSpan(expected[4].hour))
    assert found.publications == tuple(expected[4:])
    assert found.total == 6
    assert not record(quiet_cell, "orders", [expected[5]])


def test_a_control_table_of_an_older_format_is_partitioned_by_the_next_row(
    quiet_cell: Cell,
) -> None:
    first, second = publication(0), publication(1)
    catalog = open_catalog(quiet_cell)
    catalog.create_namespace("orders")
    table = catalog.create_table("orders.publications", PUBLICATION_SCHEMA, properties=PROPERTIES)
    record(quiet_cell, "orders", [first])
    assert [one.name for one in load_table(quiet_cell, "orders.publications").spec().fields] == [
        PARTITION[2]
    ]
    record(quiet_cell, "orders", [second])
    compact(load_table(quiet_cell, "orders.publications"), POLICY)
    assert read_publications(quiet_cell, "orders") == (first, second)
    assert not record(quiet_cell, "orders", [first])
    assert (
        table.metadata.table_uuid
        == load_table(quiet_cell, "orders.publications").metadata.table_uuid
    )


def _number(of: datetime) -> int:
    return int(of.timestamp()) // 3600


def test_thousands_of_publications_are_recorded_by_one_commit_and_each_once(
    quiet_cell: Cell,
) -> None:
    expected = [
        replace(publication(0), hour=hour(number), wap_id=f"staging-{number // 100}")
        for number in range(3_000)
    ]
    assert record(quiet_cell, "orders", expected[:2_000]) == tuple(expected[:2_000])
    assert len(load_table(quiet_cell, "orders.publications").metadata.snapshots) == 1
    # What was cut off is recorded whole the next time: what is there stays as it is.
    assert record(quiet_cell, "orders", expected[1_950:]) == tuple(expected[2_000:])
    assert sorted(read_publications(quiet_cell, "orders"), key=lambda one: one.hour) == expected
    assert record(quiet_cell, "orders", []) == ()
