"""Checks that need no broker: whose catalog it is, and whose time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler

import pytest

from headwater.doctor import catalog, clock, openlineage, registry
from headwater.doctor.catalog import ForeignCatalogError
from headwater.doctor.clock import ClockSkewError
from headwater.doctor.model import Finding, Outcome, Setup
from pipeline.cells import Cell
from pipeline.lineage.errors import CollectorUnavailableError
from pipeline.schemas.registry import RegistryRefusedError
from tests.support.http_here import QuietHandler, serving
from tests.support.lineage_collector import collecting
from tests.support.orders import Orders


@contextmanager
def registry_ahead(by_s: float, status: int = 200) -> Iterator[str]:
    """Serve what answers as a registry without subjects does, by a clock that is `by_s` ahead."""

    class Handler(QuietHandler, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b"[]" if status == 200 else b'{"error_code": 401, "message": "who are you?"}'
            self.answer_json(status, body)

        def date_time_string(self, timestamp: float | None = None) -> str:
            return super().date_time_string(int((timestamp or time.time()) + by_s))

    with serving(Handler) as url:
        yield url


def asked(cell: Cell) -> Setup:
    return Setup(cell, ())


def one(found: tuple[Finding, ...]) -> Finding:
    (finding,) = found
    assert finding.outcome is Outcome.WELL
    return finding


def test_the_cells_own_catalog_is_well(quiet_cell: Cell) -> None:
    Orders(quiet_cell)
    assert "tables: 1" in one(catalog.ask(asked(quiet_cell))).what


def test_a_catalog_of_another_warehouse_is_told(quiet_cell: Cell) -> None:
    Orders(quiet_cell)
    elsewhere = replace(quiet_cell, warehouse=f"{quiet_cell.warehouse}2")
    with pytest.raises(ForeignCatalogError, match=r"it has orders\.events at .* `warehouse`"):
        catalog.ask(asked(elsewhere))


def test_a_catalog_of_another_cell_is_told(quiet_cell: Cell) -> None:
    Orders(quiet_cell)
    with pytest.raises(ForeignCatalogError, match="it has tables of us, and none of this cell"):
        catalog.ask(asked(replace(quiet_cell, name="eu")))


@pytest.mark.parametrize(("by_s", "words"), [(3_600, "ahead of"), (-3_600, "behind")])
@pytest.mark.parametrize("status", [200, 401])
def test_a_registry_whose_clock_is_another_is_told(
    quiet_cell: Cell, by_s: float, words: str, status: int
) -> None:
    with registry_ahead(by_s, status) as url:
        own = replace(quiet_cell, schema_registry={"url": url})
        with pytest.raises(ClockSkewError, match=rf"3,(59\d|60\d) s {words} this machine's clock"):
            clock.ask_registry(asked(own))


def test_registry_and_catalog_in_files_have_the_time_of_this_machine(quiet_cell: Cell) -> None:
    for ask in (clock.ask_registry, clock.ask_catalog):
        assert one(ask(asked(quiet_cell))).subject == "this machine"


def test_a_registry_that_lets_the_cell_in_and_has_the_same_time_is_well(quiet_cell: Cell) -> None:
    with registry_ahead(0) as url:
        own = replace(quiet_cell, schema_registry={"url": url})
        assert "same time" in one(clock.ask_registry(asked(own))).what
        assert "subjects: 0" in one(registry.ask(asked(own))).what
        assert one(registry.ask(asked(own))).subject == url


def test_a_registry_that_refuses_the_login_is_told_without_it(quiet_cell: Cell) -> None:
    with registry_ahead(0, 401) as url:
        login = {"url": url, "basic.auth.user.info": "me:hush"}
        with pytest.raises(RegistryRefusedError, match="401") as caught:
            registry.ask(asked(replace(quiet_cell, schema_registry=login)))
        assert "hush" not in str(caught.value)


def test_a_collector_of_lineage_is_asked_and_what_waits_is_told(quiet_cell: Cell) -> None:
    assert "files alone" in one(openlineage.ask(asked(quiet_cell))).what
    with collecting() as collector:
        settings = {"transport": "http", "url": collector.url}
        sending = asked(replace(quiet_cell, openlineage=settings))
        assert "events that wait: 0" in one(openlineage.ask(sending)).what
        collector.stop()
        with pytest.raises(CollectorUnavailableError, match="does not answer"):
            openlineage.ask(sending)
