"""A project outside of the checkout, used with what the wheel installs."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from headwater.stack.ports import free_port
from pipeline.cells import Cell, load_cell
from pipeline.settings import PROJECT
from pipeline.tables.catalog import load_table
from tests.support.code_blocks import Block, blocks, commands
from tests.support.dagster_api import DagsterApi, wait_until
from tests.support.foreign_topics import (
    Hours,
    fill_payments,
    fill_visits,
    hours_of,
    payments,
    visits,
)
from tests.support.wheel import outside_environment, unpacked_wheel

COMMAND = "from headwater.cli.main import main\nmain()\n"
ORDERS = 3
PAGE = "docs/how-to/start-a-project.md"


@dataclass(frozen=True)
class Installed:
    """The `headwater` command as the wheel installs it."""

    wheel: Path

    def run(self, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        script = self.wheel.parent / "bin" / "headwater"
        script.parent.mkdir(exist_ok=True)
        script.write_text(COMMAND)
        return subprocess.run(
            [sys.executable, str(script), *arguments],
            cwd=cwd,
            env=outside_environment(self.wheel),
            capture_output=True,
            text=True,
            check=False,
            timeout=280,
        )

    def document(self, *arguments: str, cwd: Path) -> Any:
        done = self.run(*arguments, "--json", cwd=cwd)
        assert done.stdout, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def headwater(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return Installed(unpacked_wheel(tmp_path_factory.mktemp("wheel")))


@pytest.fixture
def shop(headwater: Installed, tmp_path: Path) -> Iterator[Path]:
    """A project of that name, with folders that are named as packages of ours."""
    made = headwater.run("init", "shop", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    folder = tmp_path / "shop"
    for name in ("assets", "pipeline", "resources"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text("raise ImportError('the project has its own')\n")
    yield folder
    headwater.run("down", cwd=folder)


def section(title: str) -> Iterator[Block]:
    """Yield the blocks of the page below a heading, in order."""
    lines = (PROJECT / PAGE).read_text().splitlines()
    begin = lines.index(f"## {title}") + 1
    ends = (n for n, line in enumerate(lines[begin:], begin) if line.startswith("## "))
    end = next(ends, len(lines))
    yield from (one for one in blocks(PROJECT, PAGE) if begin < one.line <= end)


def run_section(headwater: Installed, title: str, project: Path) -> None:
    """Do what the page says, in a project: commands must succeed, files are written."""
    for block in section(title):
        if block.title:
            (project / block.title).parent.mkdir(parents=True, exist_ok=True)
            (project / block.title).write_text(block.text)
        for command in commands(block) if block.language == "console" else ():
            words = shlex.split(command.text, comments=True)
            if words[:2] == ["headwater", "hours"]:
                continue
            done = headwater.run(*words[1:], cwd=project)
            assert done.returncode == 0, (
                f"{block.place}: {command.text}\n{done.stdout}{done.stderr}"
            )


def hourly(cell: Cell, table: str, by: str, count: str, total: str) -> Hours:
    """Return what readers have of an hourly table."""
    rows = load_table(cell, table).scan().to_arrow().to_pylist()
    return {(row["hour"], row[by]): (row[count], row[total]) for row in rows}


@pytest.mark.timeout(900)
def test_a_new_project_goes_from_its_first_record_to_published_hours(
    headwater: Installed, shop: Path
) -> None:
    """Of the example, and of two topics that others made and filled: the first afternoon."""
    inside = shop / "contracts" / "orders"
    ports = ("--kafka-port", str(free_port()), "--web-port", str(free_port()))
    parts = headwater.document("up", *ports, cwd=inside)["parts"]
    assert {part["name"] for part in parts} >= {"kafka-us", "code-server-us", "dagster-daemon"}
    assert all(part["healthy"] for part in parts)
    assert (shop / ".headwater" / "stack.json").exists(), (
        "the home is the project's, wherever one is in it"
    )
    address = {part["name"]: part["address"] for part in parts}

    sample = str(shop / "samples" / "orders.jsonl")
    assert headwater.document("produce", "orders", "--from", sample, cwd=shop)["total"] == ORDERS

    paid, seen = payments(), visits()
    fill_payments(address["kafka-us"], "shop.payments", paid)
    registry = address["schema-registry-us"]
    fill_visits(address["kafka-us"], "shop.visits", registry, seen)
    run_section(headwater, "From a topic that exists", shop)
    checked = headwater.document("contract", "check", cwd=inside)
    assert checked["ok"] is True
    tables = {
        "orders_by_country": "orders",
        "payments_hourly": "payments",
        "visits_hourly": "visits",
    }
    assert {one["product"] for one in checked["products"]} == {*tables, *tables.values()}

    expected = {
        "orders_by_country": 1,
        "payments_hourly": len(
            {hour for hour, _ in hours_of(paid, "currency", "cents", "paid_at")}
        ),
        "visits_hourly": len({hour for hour, _ in hours_of(seen, "page", "seconds", "seen_at")}),
    }
    waiting = dict(tables)

    def published() -> bool:
        for table, product in [*waiting.items()]:
            told = headwater.run("hours", product, "--json", cwd=inside)
            hours = json.loads(told.stdout)["hours"] if told.stdout else []
            if sum(bool(one["published"].get(table)) for one in hours) < expected[table]:
                return False
            del waiting[table]
        return True

    # What asks takes processor time from what it waits for.
    wait_until("hours of all three are published", published, 600, every_s=8)
    cell = load_cell(shop / ".headwater", "us")
    by_currency = hourly(cell, "payments.payments_hourly", "currency", "payments", "cents")
    assert by_currency == hours_of(paid, "currency", "cents", "paid_at")
    by_page = hourly(cell, "visits.visits_hourly", "page", "visits", "seconds")
    assert by_page == hours_of(seen, "page", "seconds", "seen_at")

    nodes = DagsterApi(address["dagster-webserver"]).ask("{ assetNodes { assetKey { path } } }")
    keys = {tuple(node["assetKey"]["path"]) for node in nodes["assetNodes"]}
    assert keys >= {("us", product, "events") for product in tables.values()}
    assert keys >= {("us", product, table) for table, product in tables.items()}

    status = headwater.run("status", cwd=inside)
    assert status.returncode == 0, status.stdout
    assert not any(
        "\x1b" in log.read_text() for log in (shop / ".headwater" / "logs").glob("dagster-*.log")
    )


def test_init_leaves_what_is_there_and_shows_what_it_would_write(
    headwater: Installed, shop: Path
) -> None:
    settings = shop / "headwater.toml"
    settings.write_text("ingest.memory_mb = 99\n")
    (shop / "workspace.yaml").unlink()
    would = headwater.document("init", "shop", "--explain", cwd=shop.parent)
    assert would["to_write"] == ["workspace.yaml"]
    assert "headwater.toml" in would["kept"]
    assert not (shop / "workspace.yaml").exists()
    assert headwater.document("init", "shop", cwd=shop.parent)["written"] == ["workspace.yaml"]
    assert settings.read_text() == "ingest.memory_mb = 99\n"
    bare = headwater.document("init", "bare", "--no-example", cwd=shop.parent)
    assert not [path for path in bare["written"] if path.startswith(("contracts/", "samples/"))]


def test_another_package_of_our_name_is_named(headwater: Installed, shop: Path) -> None:
    environment = outside_environment(headwater.wheel)
    environment["PYTHONPATH"] = f"{shop}:{environment['PYTHONPATH']}"
    done = subprocess.run(
        [sys.executable, "-c", COMMAND],
        cwd=shop,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert f"package assets: Python finds {shop / 'assets'}" in done.stderr
