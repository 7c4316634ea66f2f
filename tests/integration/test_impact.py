"""What holds some records, told by ledger, bounds of files and publications: as DuckDB counts it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import duckdb
import pyarrow as pa
import pytest
from pyiceberg.table import DataScan, FileScanTask, Table

from headwater.cli.render.lineage.impact import print_impact
from pipeline.cells import Cell
from pipeline.clock import HOUR
from pipeline.contract.model import Product
from pipeline.control.publications import Publication, record
from pipeline.impact.impact import (
    OffsetsUnknownError,
    RunUnknownError,
    SnapshotUnknownError,
    read_impact,
)
from pipeline.impact.model import Impact, Standing
from pipeline.impact.selection import Selection
from pipeline.maintenance.plan import MaintenancePolicy
from pipeline.maintenance.run import maintain
from pipeline.tables.catalog import load_table, open_catalog
from pipeline.tables.create import ensure_table
from pipeline.tables.layout import DEAD_LETTER_SCHEMA
from tests.support.orders import Orders, hour

EAGER = MaintenancePolicy(retain=timedelta(0), retain_last=1, min_files=2, min_manifests=2)


@pytest.fixture
def commits(orders: Orders) -> list[int]:
    """The snapshots of six commits of four orders each to hours 1 to 4, of partition 0 and 1 in turn."""
    return [
        orders.append([(hour(1 + (n + k) % 4), "eu", n) for k in range(4)], partition=n % 2)
        for n in range(6)
    ]


def events(cell: Cell) -> Table:
    return load_table(cell, "orders.events")


def counted(cell: Cell, where: str) -> dict[datetime, int]:
    """Count rows of events by hour, by another reader of the files."""
    files = [
        task.file.file_path.removeprefix("file://") for task in events(cell).scan().plan_files()
    ]
    found = duckdb.connect().execute(
        "SELECT epoch_us(_event_time) // 3_600_000_000 AS number, count(*) "
        f"FROM read_parquet({files}) WHERE {where} GROUP BY number"
    )
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return {epoch + number * HOUR: count for number, count in found.fetchall()}


def by_hour(impact: Impact) -> dict[datetime, int]:
    found: dict[datetime, int] = {}
    for one in impact.rows:
        found[one.hour] = found.get(one.hour, 0) + one.rows
    return found


def published(cell: Cell, number: int, source: int, at: int = 0) -> Publication:
    one = Publication(
        table="orders.sales",
        hour=hour(number),
        published_at=hour(30 + at),
        source_snapshot_id=source,
        staged_snapshot_id=None,
        published_snapshot_id=None,
        wap_id=f"{number}-{at}",
        rows=1,
        contract_version="1.2.0",
        run_id="run",
        expectations=2,
    )
    record(cell, "orders", [one])
    return one


def test_offsets_are_in_the_hours_that_another_reader_finds_them_in_before_and_after_maintenance(
    quiet_cell: Cell, product: Product, commits: list[int]
) -> None:
    published(quiet_cell, 3, commits[2])
    published(quiet_cell, 4, commits[0])
    selection = Selection(partition=0, start=2, end=6)
    found = read_impact(quiet_cell, product, selection)
    where = "_topic_partition = 0 AND _offset >= 2 AND _offset < 6"
    assert by_hour(found) == counted(quiet_cell, where) != {}
    assert [one.snapshot_id for one in found.commits] == [commits[0], commits[2]]
    assert {(one.start, one.end) for commit in found.commits for one in commit.entries} == {
        (0, 4),
        (4, 8),
    }
    standing = {one.hour: one.standing for one in found.reached}
    # Half of them came to hour 4 after its build.
    assert standing == {hour(3): Standing.HOLDS, hour(4): Standing.PARTLY}

    maintain(quiet_cell, product, EAGER)
    assert events(quiet_cell).metadata.snapshot_by_id(commits[0]) is None
    assert read_impact(quiet_cell, product, selection) == found


def test_a_snapshot_is_in_builds_that_were_made_from_it_or_later(
    quiet_cell: Cell, product: Product, commits: list[int]
) -> None:
    for number, source in ((1, commits[2]), (2, commits[3]), (3, commits[5])):
        published(quiet_cell, number, source)
    found = read_impact(quiet_cell, product, Selection(snapshot_id=commits[3]))
    assert by_hour(found) == counted(quiet_cell, "_topic_partition = 1 AND _offset BETWEEN 4 AND 7")
    assert {one.hour.hour: one.standing for one in found.reached} == {
        1: Standing.NOT_YET,
        2: Standing.HOLDS,
        3: Standing.HOLDS,
        4: Standing.UNPUBLISHED,
    }
    published(quiet_cell, 1, commits[4], at=1)
    again = read_impact(quiet_cell, product, Selection(snapshot_id=commits[3]))
    (first,) = (one for one in again.reached if one.hour == hour(1))
    assert [build.holds for build in first.builds] == [False, True]


def test_a_build_from_what_a_compaction_left_is_told_after_that_snapshot_has_gone(
    orders: Orders, quiet_cell: Cell, product: Product, commits: list[int]
) -> None:
    maintain(quiet_cell, product, EAGER)
    compaction = events(quiet_cell).current_snapshot()
    assert compaction is not None
    assert compaction.snapshot_id not in commits
    published(quiet_cell, 3, compaction.snapshot_id)
    orders.append([(hour(6), "eu", 1)] * 4)
    maintain(quiet_cell, product, EAGER)
    assert events(quiet_cell).metadata.snapshot_by_id(compaction.snapshot_id) is None
    found = read_impact(quiet_cell, product, Selection(partition=0, start=2, end=6))
    assert {one.hour: one.standing for one in found.reached}[hour(3)] is Standing.HOLDS


@pytest.mark.parametrize(
    ("selection", "where"),
    [
        (Selection(run_id="test"), "true"),
        (Selection(run_id="test", partition=1), "_topic_partition = 1"),
        (Selection(schema_version=1), "true"),
        (Selection(schema_version=2), "false"),
        (Selection(producer="app"), "false"),
        (
            Selection(schema_version=1, partition=0, start=3, end=9),
            "_topic_partition = 0 AND _offset BETWEEN 3 AND 8",
        ),
    ],
)
def test_rows_are_those_that_another_reader_finds(
    quiet_cell: Cell, product: Product, commits: list[int], selection: Selection, where: str
) -> None:
    found = read_impact(quiet_cell, product, selection)
    assert by_hour(found) == counted(quiet_cell, where)
    assert {one.snapshot_id for one in found.rows} <= {*commits}


class Replays(Orders):
    """Orders of partition 1 that replays made of dead letters of partition 0, of the offsets before 100."""

    def _row(
        self, of: datetime, region: str, amount: int, partition: int, offset: int
    ) -> dict[str, object]:
        row = super()._row(of, region, amount, partition, offset)
        origin = {"_replay_id": "r", "_origin_partition": 0, "_origin_offset": amount}
        return row | (origin if partition == 1 else {})


def test_rows_that_replays_made_of_dead_letters_are_told_with_them(
    quiet_cell: Cell, product: Product
) -> None:
    orders = Replays(quiet_cell)
    first = orders.append([(hour(1), "eu", 0)] * 4, gaps={1: 2})
    later = orders.append([(hour(2), "eu", 1), (hour(3), "eu", 9)], partition=1)
    letters = ensure_table(open_catalog(quiet_cell), "orders.dead_letters", DEAD_LETTER_SCHEMA)
    place = {"_topic": "orders", "_topic_id": "topic-1", "_topic_partition": 0}
    times = {"_record_time": hour(1), "_ingested_at": hour(1), "_run_id": "test"}
    said = {"reason": "undecodable", "detail": "no bytes"}
    rows = [{**place, **times, **said, "_offset": offset} for offset in (1, 3)]
    letters.append(pa.Table.from_pylist(rows, schema=DEAD_LETTER_SCHEMA))

    found = read_impact(quiet_cell, product, Selection(partition=0, start=0, end=3))
    assert [(one.reason, one.letters, one.snapshot_id) for one in found.letters] == [
        ("undecodable", 1, first)
    ]
    assert [(one.hour, one.rows, one.replayed) for one in found.rows] == [
        (hour(1), 3, False),
        (hour(2), 1, True),
    ]
    assert [one.snapshot_id for one in found.commits] == [first, later]
    # By the replays' own offsets nothing is told of where they stood first.
    own = read_impact(quiet_cell, product, Selection(partition=1, start=2, end=4))
    assert [(one.hour, one.rows, one.replayed) for one in own.rows] == [
        (hour(2), 1, False),
        (hour(3), 1, False),
    ]


def test_only_files_are_read_that_may_hold_the_offsets(
    quiet_cell: Cell, product: Product, commits: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    read = planned(monkeypatch)
    read_impact(quiet_cell, product, Selection(snapshot_id=commits[3]))
    # One file an hour: the twenty others are passed over.
    assert len(read) == 4


def test_what_nothing_is_kept_of_is_refused_by_name(
    quiet_cell: Cell, product: Product, commits: list[int]
) -> None:
    with pytest.raises(SnapshotUnknownError, match="snapshot 7 of events"):
        read_impact(quiet_cell, product, Selection(snapshot_id=7))
    with pytest.raises(RunUnknownError, match="run nobody's"):
        read_impact(quiet_cell, product, Selection(run_id="nobody's"))
    with pytest.raises(OffsetsUnknownError, match=r"offset of 12\.\.20 of partition 0"):
        read_impact(quiet_cell, product, Selection(partition=0, start=12, end=20))


def planned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list of data files of events that scans plan to read from now on."""
    found: list[str] = []
    whole = DataScan.plan_files

    def note(scan: DataScan) -> Iterable[FileScanTask]:
        tasks = list(whole(scan))
        found.extend(path for one in tasks if "/events/data/" in (path := one.file.file_path))
        return tasks

    monkeypatch.setattr(DataScan, "plan_files", note)
    return found


def test_it_is_told_to_people_and_to_programs(
    quiet_cell: Cell, product: Product, commits: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    published(quiet_cell, 3, commits[2])
    published(quiet_cell, 4, commits[0])
    found = read_impact(quiet_cell, product, Selection(partition=0, start=2, end=6))
    print_impact(found, as_json=False)
    told = capsys.readouterr().out
    assert "orders in us: partition 0, offsets 2..6 of topic orders" in told
    assert (
        "4 rows in 2 hours of events and 0 dead letters, of 2 commits; hours of derived tables: "
        "1 hold all of it, 1 hold some, and are to be built again for the rest" in told
    )
    print_impact(found, as_json=True)
    document = json.loads(capsys.readouterr().out)
    assert [one["snapshot_id"] for one in document["commits"]] == [commits[0], commits[2]]
    assert [(one["hour"], one["standing"]) for one in document["derived_tables"]] == [
        ("2026-01-01T03:00:00+00:00", "holds"),
        ("2026-01-01T04:00:00+00:00", "partly"),
    ]
    assert document["derived_tables"][1]["builds"][0]["source_rows"] == 1
