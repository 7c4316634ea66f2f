"""Tables that are written a row at a time: few files, however many rows, and none lost to tidying."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from pipeline.cells import Cell
from pipeline.control.alerts import Alert, AlertKind, raise_alert, read_alerts
from pipeline.control.publications import Publication, read_publications, record
from pipeline.maintenance.tidy import MANIFESTS as FILES
from pipeline.tables.catalog import load_table
from tests.support.orders import hour

ROWS = 2 * FILES + 6


def publication(number: int) -> Publication:
    return Publication(
        "orders.sales", hour(number), hour(number) + timedelta(minutes=70), 1, 2, 3,
        f"staging-{number}", 5, "1.2.0", "run", 2,
        source_rows=10, inputs="", digest="5:1", handover="0:0",
    )  # fmt: skip


def files(cell: Cell, table: str) -> int:
    return len(list(load_table(cell, table).scan().plan_files()))


def test_publications_stay_few_files_and_every_one_is_there(quiet_cell: Cell) -> None:
    expected = [publication(number) for number in range(ROWS)]
    assert all(record(quiet_cell, "orders", [each]) for each in expected)
    assert list(read_publications(quiet_cell, "orders")) == expected
    assert read_publications(quiet_cell, "orders", hour(7)) == (expected[7],)
    assert files(quiet_cell, "orders.publications") < FILES
    assert not record(quiet_cell, "orders", expected[:1])


def test_who_records_while_another_tidies_loses_nothing(quiet_cell: Cell) -> None:
    record(quiet_cell, "orders", [publication(0)])
    with ThreadPoolExecutor(2) as pool:
        added = list(
            pool.map(lambda n: record(quiet_cell, "orders", [publication(n)]), range(ROWS))
        )
    assert added.count(()) == 1
    found = read_publications(quiet_cell, "orders")
    assert sorted(one.wap_id for one in found) == sorted(f"staging-{n}" for n in range(ROWS))
    assert files(quiet_cell, "orders.publications") <= FILES


def test_alerts_stay_few_files_too(quiet_cell: Cell) -> None:
    alerts = [
        Alert(
            hour(n), "orders.sales", hour(n), AlertKind.AUDIT_FAILED, "why", "run", f"staging-{n}"
        )
        for n in range(FILES + 3)
    ]
    assert all(raise_alert(quiet_cell, "orders", alert) for alert in alerts)
    assert list(read_alerts(quiet_cell, "orders")) == alerts
    assert files(quiet_cell, "orders.alerts") < FILES
