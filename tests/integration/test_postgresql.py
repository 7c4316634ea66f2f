"""A cell whose catalog is in PostgreSQL: what it promises as SQLite does, and what its faults are called."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest
from sqlalchemy.engine import URL, make_url
from time_machine import travel

from headwater.doctor import clock
from headwater.doctor.clock import ClockSkewError
from headwater.doctor.model import Outcome, Setup
from headwater.stack.ports import free_port
from pipeline.catalogs.errors import (
    CatalogNotSupportedError,
    CatalogRefusedError,
    CatalogUnavailableError,
)
from pipeline.cells import Cell, save_cell
from pipeline.contract.load import load_product
from pipeline.contract.model import Product
from pipeline.errors import ExitCode, HeadwaterError
from pipeline.ingest.commit.tables import ensure_tables
from pipeline.tables.catalog import CatalogLostError, load_table, open_catalog
from pipeline.tables.layout import events_table
from tests.support.commands import command_for
from tests.support.orders import Orders, hour
from tests.support.outage import assert_it_is_gone_on_with
from tests.support.postgresql import PostgresqlServer
from tests.support.whole_way import assert_records_become_rows

PROCESSES = 6
on_postgresql = pytest.mark.parametrize("quiet_cell", ["postgresql"], indirect=True)


@pytest.mark.parametrize("cell", ["postgresql"], indirect=True)
def test_records_become_rows_and_nothing_is_kept_in_a_file_of_sqlite(
    cell: Cell, strict_product: Product
) -> None:
    assert_records_become_rows(cell, strict_product)
    assert not list(cell.root.glob("catalog.db*"))


@on_postgresql
def test_processes_that_make_catalog_and_tables_at_once_make_one_of_each(
    quiet_cell: Cell, strict_product: Product
) -> None:
    context = get_context("forkserver")
    context.set_forkserver_preload([ensure_tables.__module__])
    with ProcessPoolExecutor(PROCESSES, context) as processes:
        made = [
            processes.submit(_make, quiet_cell, strict_product.folder) for _ in range(PROCESSES)
        ]
        uuids = {one.result() for one in made}
    assert uuids == {
        str(load_table(quiet_cell, events_table(strict_product.name)).metadata.table_uuid)
    }


def _make(cell: Cell, folder: Path) -> str:
    product = load_product(folder)
    return str(ensure_tables(cell, product).events.metadata.table_uuid)


@on_postgresql
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_child_that_is_forked_leaves_the_connections_of_its_parent_alone(
    quiet_cell: Cell,
) -> None:
    orders = Orders(quiet_cell)
    orders.append([(hour(1), "north", 3)])
    child = os.fork()
    if child == 0:
        snapshots = len(load_table(quiet_cell, "orders.events").snapshots())
        os._exit(0 if snapshots == 1 else 1)
    assert os.waitpid(child, 0)[1] == 0
    orders.append([(hour(1), "north", 4)])
    assert load_table(quiet_cell, "orders.events").scan().to_arrow().num_rows == 2


@on_postgresql
def test_a_server_that_comes_back_is_gone_on_with(
    quiet_cell: Cell, tmp_path_factory: pytest.TempPathFactory
) -> None:
    server = PostgresqlServer(tmp_path_factory.mktemp("mortal"))
    cell = replace(quiet_cell, catalog_uri=server.database("iceberg"))
    assert_it_is_gone_on_with(cell, server, CatalogUnavailableError, "refused")


@on_postgresql
def test_a_database_without_the_tables_of_the_warehouse_is_refused_and_recovered(
    quiet_cell: Cell, home: Path, strict_product: Product, postgresql: PostgresqlServer
) -> None:
    kept = ensure_tables(quiet_cell, strict_product).events
    kept.transaction().set_properties(key="value").commit_transaction()
    emptied = replace(quiet_cell, catalog_uri=postgresql.database("emptied"))
    save_cell(home, emptied)
    with pytest.raises(CatalogLostError, match="headwater recover --cell us"):
        load_table(emptied, events_table(strict_product.name))
    recovered = command_for(emptied, strict_product).run("recover", "--cell", "us", "--json")
    assert recovered.code == ExitCode.OK, recovered.err
    found = load_table(emptied, events_table(strict_product.name))
    assert found.metadata.table_uuid == kept.metadata.table_uuid


Wrong = Callable[[URL], URL]
WRONG: dict[str, tuple[Wrong, type[HeadwaterError], str]] = {
    "password": (
        lambda url: url.set(password=secrets.token_hex(4)),
        CatalogRefusedError,
        "password",
    ),
    "user": (lambda url: url.set(username="nobody"), CatalogRefusedError, "nobody"),
    "database": (lambda url: url.set(database="absent"), CatalogRefusedError, "absent"),
    "TLS": (
        lambda url: url.update_query_dict({"sslmode": "require"}),
        CatalogRefusedError,
        "does not support SSL",
    ),
    "port": (lambda url: url.set(port=free_port()), CatalogUnavailableError, "refused"),
    "host": (lambda url: url.set(host="absent.invalid"), CatalogUnavailableError, "resolve"),
    "standby": (
        lambda url: url.update_query_dict({"options": "-c default_transaction_read_only=on"}),
        CatalogUnavailableError,
        "read-only",
    ),
    "backend": (
        lambda url: url.set(drivername="mysql+pymysql"),
        CatalogNotSupportedError,
        "mysql",
    ),
}


@on_postgresql
@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_with_the_address_is_told_apart_and_no_password_is_shown(
    quiet_cell: Cell, wrong: str
) -> None:
    change, error, words = WRONG[wrong]
    url = change(make_url(quiet_cell.catalog_uri))
    cell = replace(quiet_cell, catalog_uri=url.render_as_string(hide_password=False))
    with pytest.raises(error, match=words) as raised:
        open_catalog(cell)
    assert str(url.password) not in str(raised.value)


@on_postgresql
def test_a_right_that_is_missing_is_refused_by_name(
    quiet_cell: Cell, postgresql: PostgresqlServer
) -> None:
    word = secrets.token_hex(4)
    postgresql.execute(f"CREATE ROLE reader LOGIN PASSWORD '{word}'")
    url = make_url(quiet_cell.catalog_uri).set(username="reader", password=word)
    cell = replace(quiet_cell, catalog_uri=url.render_as_string(hide_password=False))
    with pytest.raises(CatalogRefusedError, match="permission denied"):
        open_catalog(cell)


@on_postgresql
@pytest.mark.parametrize(("by_s", "words"), [(3_600, "behind"), (-3_600, "ahead of")])
def test_a_clock_that_is_another_than_here_is_told_by_the_doctor(
    quiet_cell: Cell, by_s: float, words: str
) -> None:
    (found,) = clock.ask_catalog(Setup(quiet_cell, ()))
    assert (found.outcome, found.what) == (Outcome.WELL, "it has the same time.")
    told = rf"\*\*\*@.*: its clock is 3,(59\d|60\d) s {words} this machine's clock"
    with travel(time.time() + by_s), pytest.raises(ClockSkewError, match=told):
        clock.ask_catalog(Setup(quiet_cell, ()))
