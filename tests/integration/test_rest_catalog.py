"""A cell whose catalog is behind Iceberg's REST API: what it promises, and what its faults are called."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from pyiceberg.exceptions import CommitFailedException

from headwater.stack.ports import free_port
from pipeline.catalogs.errors import (
    CatalogNotSupportedError,
    CatalogRefusedError,
    CatalogUnavailableError,
)
from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.errors import ExitCode, HeadwaterError
from pipeline.ingest.commit.tables import ensure_tables
from pipeline.tables.catalog import CatalogLostError, load_table, open_catalog
from pipeline.tables.layout import events_table
from tests.support.careless_catalog import careless
from tests.support.commands import command_for
from tests.support.orders import Orders, hour
from tests.support.seaweedfs import SeaweedfsServer
from tests.support.whole_way import assert_records_become_rows

SECONDS = 10.0
THREADS = 6
on_rest = pytest.mark.parametrize("quiet_cell", ["rest+s3"], indirect=True)


@pytest.mark.parametrize("cell", ["rest+s3"], indirect=True)
def test_records_become_rows_and_no_catalog_is_kept_on_local_disks(
    cell: Cell, strict_product: Product
) -> None:
    assert_records_become_rows(cell, strict_product)
    assert not list(cell.root.glob("catalog.db*"))


@on_rest
def test_tables_lie_in_the_warehouse_and_those_made_at_once_are_one(
    quiet_cell: Cell, strict_product: Product
) -> None:
    with ThreadPoolExecutor(THREADS) as threads:
        made = threads.map(lambda _: ensure_tables(quiet_cell, strict_product), range(THREADS))
        events_made = [one.events for one in made]
    events = load_table(quiet_cell, events_table(strict_product.name))
    for one in events_made:
        # A catalog that lets two create it keeps the last; whoever has the other's cannot write to it.
        if one.metadata.table_uuid != events.metadata.table_uuid:
            with pytest.raises(CommitFailedException), one.transaction() as transaction:
                transaction.set_properties(written_by="another")
    again = ensure_tables(quiet_cell, strict_product).events
    assert again.metadata.table_uuid == events.metadata.table_uuid
    assert events.location() == f"{quiet_cell.warehouse}/{strict_product.name}/events"


@on_rest
def test_a_table_that_the_catalog_has_lost_is_refused_and_not_registered_again(
    quiet_cell: Cell, home: Path, strict_product: Product
) -> None:
    Orders(quiet_cell).append([(hour(1), "north", 3)])
    open_catalog(quiet_cell).rename_table("orders.events", "orders.mislaid")
    with pytest.raises(CatalogLostError, match="Restore the catalog from a backup, or correct"):
        load_table(quiet_cell, "orders.events")
    refused = command_for(quiet_cell, strict_product).run("recover", "--cell", "us")
    assert refused.code == ExitCode.TERMINAL
    assert "not registered again in a REST catalog" in refused.err


@on_rest
def test_a_catalog_that_takes_a_commit_it_must_refuse_is_refused(quiet_cell: Cell) -> None:
    with careless(quiet_cell.catalog["uri"]) as uri:
        cell = replace(quiet_cell, catalog={**quiet_cell.catalog, "uri": uri})
        with pytest.raises(CatalogNotSupportedError, match="whose requirements do not hold"):
            Orders(cell)


@on_rest
def test_a_catalog_that_only_lets_read_is_refused_when_it_is_opened(quiet_cell: Cell) -> None:
    reading = ("GET /v1/{prefix}/namespaces", "GET /v1/{prefix}/namespaces/{namespace}/tables")
    with careless(quiet_cell.catalog["uri"], reading) as uri:
        cell = replace(quiet_cell, catalog={**quiet_cell.catalog, "uri": uri})
        with pytest.raises(CatalogNotSupportedError, match="does not do POST /v1/"):
            open_catalog(cell)


Wrong = Mapping[str, str] | Callable[[], Mapping[str, str]]
WRONG: dict[str, tuple[Wrong, type[HeadwaterError], str]] = {
    "credential": (
        lambda: {"credential": f"headwater:{secrets.token_hex(8)}"},
        CatalogRefusedError,
        "invalid_client",
    ),
    "token": (
        lambda: {"credential": "", "token": secrets.token_hex(8)},
        CatalogRefusedError,
        "UnauthorizedError",
    ),
    "warehouse": ({"warehouse": "s3://absent"}, CatalogRefusedError, "absent not found"),
    "port": (
        lambda: {"uri": f"http://127.0.0.1:{free_port()}"},
        CatalogUnavailableError,
        "refused",
    ),
    "host": ({"uri": "http://absent.invalid"}, CatalogUnavailableError, "resolve"),
    "address": ({"uri": "catalog:8181"}, CatalogRefusedError, "no address"),
    "type": ({"type": "glue"}, CatalogNotSupportedError, "of type glue"),
    "no uri": ({"uri": ""}, CatalogNotSupportedError, "no uri"),
    "file IO": ({"io-impl": "mine"}, CatalogNotSupportedError, "cannot be set"),
}


@on_rest
@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_with_the_catalog_is_told_apart_within_seconds_and_no_secret_is_shown(
    quiet_cell: Cell, wrong: str
) -> None:
    given, error, words = WRONG[wrong]
    changed = {**quiet_cell.catalog, **(given() if callable(given) else given)}
    cell = replace(quiet_cell, catalog={name: value for name, value in changed.items() if value})
    begun = time.monotonic()
    with pytest.raises(error, match=words) as raised:
        open_catalog(cell)
    assert time.monotonic() - begun < SECONDS
    told = str(raised.value)
    for name in ("credential", "token"):
        assert not changed.get(name) or changed[name].rpartition(":")[2] not in told


@on_rest
def test_what_answers_and_is_no_catalog_is_refused(
    quiet_cell: Cell, seaweedfs: SeaweedfsServer
) -> None:
    for scheme, words in (("http", "refused|no Iceberg REST"), ("https", "TLS")):
        uri = seaweedfs.endpoint.replace("http:", f"{scheme}:")
        cell = replace(quiet_cell, catalog={**quiet_cell.catalog, "uri": uri})
        with pytest.raises(CatalogRefusedError, match=words):
            open_catalog(cell)
