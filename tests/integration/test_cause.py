"""What an hour was made from, and what its builds differ in: by publications, ledger and files' bounds."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from headwater.cli.render.lineage.why import print_cause
from pipeline.batch.planning.plan import DerivedTableUnknownError
from pipeline.cells import Cell
from pipeline.contract.model import Product, Read
from pipeline.control.publications import Publication, record
from pipeline.impact.cause import HourNotPublishedError, read_cause
from pipeline.impact.cause_model import Came
from pipeline.maintenance.run import maintain
from pipeline.tables.catalog import load_table
from tests.integration.test_impact import EAGER, planned
from tests.support.orders import Orders, derived, hour, orders_product, sales

HOURS = (1, 2, 3, 4)


@pytest.fixture
def product(tmp_path: Path) -> Product:
    """Orders with `sales`, and `totals` of two of its hours."""
    totals = derived("totals", "", reads=(Read(table="sales", hours=2),))
    return orders_product(tmp_path, sales(), totals)


@pytest.fixture
def commits(orders: Orders) -> list[int]:
    """The snapshots of five commits of orders to hours 1 to 4, of partition 0 and 1 in turn."""
    return [
        orders.append([(hour(n), "eu", 1) for n in HOURS for _ in range(k)], partition=k % 2)
        for k in range(1, 6)
    ]


def publish(
    cell: Cell, table: str, number: int, source: int, at: int, **others: object
) -> Publication:
    given = {
        "rows": 1,
        "contract_version": "1.2.0",
        "run_id": "run",
        "expectations": 2,
        "digest": f"1:{at}",
        **others,
    }
    one = Publication(
        table=f"orders.{table}",
        hour=hour(number),
        published_at=hour(30 + at),
        source_snapshot_id=source,
        staged_snapshot_id=None,
        published_snapshot_id=None,
        wap_id=f"{table}-{number}-{at}",
        **given,  # type: ignore[arg-type]
    )
    record(cell, "orders", [one])
    return one


def test_rows_are_told_by_commit_as_another_reader_finds_them_before_and_after_maintenance(
    quiet_cell: Cell, product: Product, commits: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(quiet_cell, "sales", 2, commits[1], 0, source_rows=3)
    publish(quiet_cell, "sales", 2, commits[3], 1, source_rows=10)
    read = planned(monkeypatch)
    found = read_cause(quiet_cell, product, "sales", hour(2))
    # Planned twice, once for bounds and once to be read: a file a commit, none of other hours.
    assert len(set(read)) == len(commits)
    files = [path.removeprefix("file://") for path in sorted(set(read))]
    counted = duckdb.execute(
        "SELECT _topic_partition, min(_offset), max(_offset), count(*) "
        f"FROM read_parquet({files}, filename = true) GROUP BY filename, _topic_partition"
    ).fetchall()
    assert {(one.partition, one.first, one.last, one.rows) for one in found.fed} == {*counted}
    came = {one.commit.snapshot_id: one.came for one in found.fed if one.commit is not None}
    assert came == dict(
        zip(commits, [Came.BEFORE] * 2 + [Came.SINCE] * 2 + [Came.AFTER], strict=True)
    )
    assert found.reasons == ("7 rows of events had come",)
    assert {one.field for one in found.changes} >= {"digest", "source_rows", "wap_id"}
    assert found.values_changed is True

    monkeypatch.undo()
    maintain(quiet_cell, product, EAGER)
    assert load_table(quiet_cell, "orders.events").metadata.snapshot_by_id(commits[1]) is None
    assert read_cause(quiet_cell, product, "sales", hour(2)) == found


def test_hours_of_other_tables_are_told_with_the_builds_that_were_read(
    quiet_cell: Cell, product: Product, commits: list[int]
) -> None:
    for number, at in ((1, 0), (2, 0), (2, 2)):
        publish(quiet_cell, "sales", number, commits[0], at)
    publish(quiet_cell, "totals", 2, commits[0], 1, inputs="some")
    first = read_cause(quiet_cell, product, "totals", hour(2))
    assert [(one.hour, one.now and one.now.wap_id) for one in first.inputs] == [
        (hour(1), "sales-1-0"),
        (hour(2), "sales-2-0"),
    ]
    assert not first.inputs_proven
    assert (first.before, first.reasons, first.values_changed) == (None, (), None)
    publish(quiet_cell, "totals", 2, commits[0], 3, contract_version="1.3.0", digest="1:1")
    again = read_cause(quiet_cell, product, "totals", hour(2))
    assert [one.is_other for one in again.inputs] == [False, True]
    assert again.reasons == ("1 hours that it reads were others", "contract 1.3.0 was 1.2.0")
    assert again.values_changed is False
    assert not again.fed


def test_what_there_is_not_is_refused_by_name(
    quiet_cell: Cell, product: Product, commits: list[int]
) -> None:
    with pytest.raises(DerivedTableUnknownError, match="Did you mean sales"):
        read_cause(quiet_cell, product, "sale", hour(2))
    with pytest.raises(HourNotPublishedError, match="hour 2026-01-01T02 was never published"):
        read_cause(quiet_cell, product, "sales", hour(2))


def test_it_is_told_to_people_and_to_programs(
    quiet_cell: Cell, product: Product, commits: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    publish(quiet_cell, "sales", 2, commits[1], 0)
    publish(quiet_cell, "sales", 2, commits[3], 1)
    found = read_cause(quiet_cell, product, "sales", hour(2))
    print_cause(found, as_json=False)
    told = capsys.readouterr().out
    assert "sales 2026-01-01T02 of orders in us" in told
    assert "2 expectations met" in told
    assert "built 2 times; its rows are others than before: 7 rows of events had come" in told
    print_cause(found, as_json=True)
    document = json.loads(capsys.readouterr().out)
    assert [one["came"] for one in document["events"]] == [
        "before",
        "before",
        "since",
        "since",
        "after",
    ]
    assert document["build"]["wap_id"] == "sales-2-1"
