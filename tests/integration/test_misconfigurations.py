"""The table of docs/reference/misconfigurations.md, row by row: each fault is brought about and told."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace

import pytest

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.produce.topic import ensure_topic
from pipeline.settings import PROJECT
from tests.support.commands import Command, command_for
from tests.support.commands_here import CommandHere
from tests.support.misconfigured import APART, FAULTS, Site
from tests.support.misconfigured_stores import behind_rest
from tests.support.orders import Orders
from tests.support.registry_server import served
from tests.support.seaweedfs import SeaweedfsServer
from tests.support.secured_broker import Secured

START_S = 15.0
"""Within this a process starts, beside others that work this machine hard."""
PAGE = PROJECT / "docs" / "reference" / "misconfigurations.md"
_ROW = re.compile(r"^\| ([^|]+) \| (`[^|]+`) \| ([^|]+) \| (\d+) \| (\d) \|$", re.MULTILINE)


@dataclass(frozen=True)
class Row:
    """A row of the page."""

    checks: frozenset[str]
    message: str
    seconds: float
    code: int


ROWS = {
    name: Row(frozenset(re.findall(r"\w+", checks)), message, float(seconds), int(code))
    for name, checks, message, seconds, code in _ROW.findall(PAGE.read_text())
}


@pytest.fixture(scope="module")
def registry_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("registry") / "registry.db") as url:
        yield url


@pytest.fixture
def site(
    quiet_cell: Cell,
    strict_product: Product,
    secured: Secured,
    registry_url: str,
    seaweedfs: SeaweedfsServer,
) -> Site:
    own = {"url": registry_url}
    cell = replace(quiet_cell, bootstrap_servers=secured.plain, schema_registry=own)
    ensure_topic(cell, strict_product)
    return Site(cell, strict_product, secured, registry_url, seaweedfs)


def test_the_page_has_the_rows_that_are_tested() -> None:
    assert list(ROWS) == list(FAULTS)
    assert len(ROWS) == 28
    assert max(row.seconds for row in ROWS.values()) <= 10


def test_a_cell_that_is_well_is_told_as_such(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    result = CommandHere(monkeypatch, capsys, site.cell, site.product).run("doctor")
    assert result.code == 0, result
    assert result.out.endswith("\n0 faults\n")


def test_a_cell_in_s3_and_behind_rest_is_told_as_such(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cell = behind_rest(site.cell, site.seaweedfs)
    Orders(cell)
    result = CommandHere(monkeypatch, capsys, cell, site.product).run("doctor")
    assert result.code == 0, result
    assert f"{cell.warehouse}" in result.out
    assert f"{cell.catalog['uri']}" in result.out
    assert "tables: 1." in result.out
    left = site.seaweedfs.objects(cell.warehouse)
    assert left
    assert not any("doctor" in path for path in left)


@pytest.mark.parametrize("name", FAULTS)
def test_the_fault_is_told_in_time_and_nothing_else_is_wrong(
    name: str,
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    row = ROWS[name]
    found = FAULTS[name](site)
    with nullcontext(found) if isinstance(found, Cell) else found as cell:
        command: Command | CommandHere
        if name in APART:
            command = command_for(cell, site.product, file_bytes=APART[name])
        else:
            command = CommandHere(monkeypatch, capsys, cell, site.product)
        begun = time.monotonic()
        result = command.run("doctor", "--cell", "us", "--json")
        took = time.monotonic() - begun
    assert result.code == row.code, result
    wrong = {one["check"]: one for one in result.json["findings"] if one["outcome"] == "wrong"}
    assert {*wrong} == row.checks, wrong
    for finding in wrong.values():
        assert row.message in finding["what"]
        assert finding["subject"]
        assert finding["remedy"]
    assert "guessed" not in result.out
    assert took < row.seconds + (START_S if name in APART else 0)
