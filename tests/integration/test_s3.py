"""A cell whose warehouse is in S3: what it promises as local files do, and what its faults are called."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from headwater.stack.ports import free_port
from pipeline.catalogs.errors import (
    WarehouseNotSupportedError,
    WarehouseRefusedError,
    WarehouseUnavailableError,
)
from pipeline.cells import Cell, save_cell
from pipeline.clock import utc_now
from pipeline.contract.model import Product
from pipeline.errors import ExitCode, HeadwaterError
from pipeline.maintenance.plan import MaintenancePolicy
from pipeline.maintenance.run import maintain
from pipeline.tables.catalog import CatalogLostError, load_table, open_catalog
from pipeline.tables.commit import write_files
from pipeline.tables.integrity.readable import check_readable
from pipeline.trace.duplicates import NOTHING
from pipeline.trace.model import Answer
from pipeline.trace.read import trace_event
from tests.support.commands import command_for
from tests.support.orders import SCHEMA, Orders, hour
from tests.support.outage import assert_it_is_gone_on_with
from tests.support.seaweedfs import SeaweedfsServer
from tests.support.whole_way import assert_records_become_rows

SECONDS = 10.0
on_s3 = pytest.mark.parametrize("quiet_cell", ["sqlite+s3"], indirect=True)
EAGER = MaintenancePolicy(
    retain=timedelta(0), retain_commits=timedelta(0), retain_last=1, orphan_age=timedelta(0)
)


@pytest.mark.parametrize("cell", ["sqlite+s3"], indirect=True)
def test_records_become_rows_and_no_data_lie_on_local_disks(
    cell: Cell, strict_product: Product
) -> None:
    assert_records_become_rows(cell, strict_product)
    assert not list(cell.root.rglob("*.parquet"))
    assert not (cell.root / "warehouse").exists()


@on_s3
def test_what_a_killed_writer_left_goes_and_what_a_table_needs_stays(
    orders: Orders, quiet_cell: Cell, product: Product, seaweedfs: SeaweedfsServer
) -> None:
    for number in range(4):
        orders.append([(hour(number), "north", number)])
    events = load_table(quiet_cell, "orders.events")
    (orphan,) = write_files(events, pa.Table.from_pylist(orders.rows[:1], schema=SCHEMA))
    before = seaweedfs.objects(events.location())
    assert orphan.file_path.removeprefix("s3://") in before
    tomorrow = utc_now() + timedelta(days=1)
    done = {one.table: one for one in maintain(quiet_cell, product, EAGER, lambda: tomorrow)}
    left = seaweedfs.objects(events.location())
    assert done["orders.events"].snapshots >= 3
    assert len(left) < len(before)
    assert orphan.file_path.removeprefix("s3://") not in left
    kept = load_table(quiet_cell, "orders.events")
    check_readable(kept, files=None)
    assert kept.scan().to_arrow().num_rows == 4


@on_s3
def test_an_event_is_traced(orders: Orders, quiet_cell: Cell, product: Product) -> None:
    for number in range(3):
        orders.append([(hour(number), "north", number), (hour(number), "south", number)])
    found = trace_event(quiet_cell, product, "0-3", NOTHING)
    (row,) = found.facts.rows
    assert (found.answer, row.place.offset) == (Answer.ROW, 3)
    assert row.event_time == orders.rows[3]["_event_time"]
    assert trace_event(quiet_cell, product, "0-9", NOTHING).answer is Answer.UNKNOWN


@on_s3
def test_tables_that_an_absent_catalog_does_not_know_are_recovered(
    quiet_cell: Cell, home: Path, strict_product: Product
) -> None:
    Orders(quiet_cell).append([(hour(1), "north", 3)])
    for file in quiet_cell.root.glob("catalog.db*"):
        file.unlink()
    with pytest.raises(CatalogLostError, match=r"orders\.events"):
        open_catalog(quiet_cell)
    recovered = command_for(quiet_cell, strict_product).run("recover", "--cell", "us", "--json")
    assert recovered.code == ExitCode.OK, recovered.err
    assert load_table(quiet_cell, "orders.events").scan().to_arrow().num_rows == 1


def test_a_store_that_comes_back_is_gone_on_with(
    quiet_cell: Cell, tmp_path_factory: pytest.TempPathFactory
) -> None:
    server = SeaweedfsServer(tmp_path_factory.mktemp("mortal"))
    cell = replace(quiet_cell, warehouse=server.bucket("lake"), s3=server.login)
    assert_it_is_gone_on_with(cell, server, WarehouseUnavailableError, "did not answer")


Wrong = Mapping[str, str] | Callable[[], Mapping[str, str]]
WRONG: dict[str, tuple[Wrong, type[HeadwaterError], str]] = {
    "key": ({"access_key_id": "nobody"}, WarehouseRefusedError, "INVALID_ACCESS_KEY_ID"),
    "secret": (
        lambda: {"secret_access_key": secrets.token_hex(8)},
        WarehouseRefusedError,
        "SIGNATURE_DOES_NOT_MATCH",
    ),
    "port": (
        lambda: {"endpoint": f"http://127.0.0.1:{free_port()}"},
        WarehouseUnavailableError,
        "connect",
    ),
    "host": ({"endpoint": "http://absent.invalid"}, WarehouseUnavailableError, "resolve"),
    "half a login": ({"access_key_id": ""}, WarehouseNotSupportedError, "is not given"),
    "no region": ({"endpoint": ""}, WarehouseNotSupportedError, "nor region"),
}


@on_s3
@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_with_the_store_is_told_apart_within_seconds_and_no_secret_is_shown(
    quiet_cell: Cell, wrong: str
) -> None:
    given, error, words = WRONG[wrong]
    changed = {**quiet_cell.s3, **(given() if callable(given) else given)}
    cell = replace(quiet_cell, s3={name: value for name, value in changed.items() if value})
    begun = time.monotonic()
    with pytest.raises(error, match=words) as raised:
        open_catalog(cell)
    assert time.monotonic() - begun < SECONDS
    assert changed["secret_access_key"] not in str(raised.value)


@on_s3
@pytest.mark.parametrize(
    ("warehouse", "error"),
    [
        ("s3://absent-bucket/here", WarehouseRefusedError),
        ("gs://bucket", WarehouseNotSupportedError),
    ],
)
def test_a_warehouse_that_is_not_there_is_not_an_empty_one(
    quiet_cell: Cell, home: Path, warehouse: str, error: type[HeadwaterError]
) -> None:
    cell = replace(quiet_cell, warehouse=warehouse)
    save_cell(home, cell)
    with pytest.raises(error):
        open_catalog(cell)
    assert not (cell.root / "catalog.db").exists()


def test_tls_where_the_store_has_none_is_refused(
    quiet_cell: Cell, seaweedfs: SeaweedfsServer
) -> None:
    login = {**seaweedfs.login, "endpoint": seaweedfs.endpoint.replace("http:", "https:")}
    cell = replace(quiet_cell, warehouse="s3://any", s3=login)
    with pytest.raises(WarehouseRefusedError, match="TLS with S3 does not come about"):
        open_catalog(cell)
