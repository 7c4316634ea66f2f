"""A project outside of the checkout, used with what the wheel installs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from headwater.stack.ports import free_port
from tests.support.dagster_api import DagsterApi, wait_until
from tests.support.wheel import outside_environment, unpacked_wheel

COMMAND = "from headwater.cli.main import main\nmain()\n"
ORDERS = 3


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


def test_a_new_project_goes_from_its_first_record_to_published_hours(
    headwater: Installed, shop: Path
) -> None:
    inside = shop / "contracts" / "orders"
    checked = headwater.document("contract", "check", cwd=inside)
    assert checked["ok"] is True
    assert [one["product"] for one in checked["products"]] == ["orders", "orders_by_country"]

    ports = ("--kafka-port", str(free_port()), "--web-port", str(free_port()))
    parts = headwater.document("up", *ports, cwd=inside)["parts"]
    assert {part["name"] for part in parts} >= {"kafka-us", "code-server-us", "dagster-daemon"}
    assert all(part["healthy"] for part in parts)
    assert (shop / ".headwater" / "stack.json").exists(), (
        "the home is the project's, wherever one is in it"
    )

    sample = str(shop / "samples" / "orders.jsonl")
    assert headwater.document("produce", "orders", "--from", sample, cwd=shop)["total"] == ORDERS

    def published() -> list[dict[str, Any]]:
        told = headwater.run("hours", "orders", "--json", cwd=inside)
        assert told.returncode == 0, told.stderr
        hours = json.loads(told.stdout)["hours"]
        assert hours or "nothing was ingested yet" in told.stderr, "until the first commit"
        return [one for one in hours if one["published"].get("orders_by_country")]

    (hour,) = wait_until("an hour is published", published, 240)
    assert hour["hour"].startswith("2026-01-05T10")

    (web,) = (part["address"] for part in parts if part["name"] == "dagster-webserver")
    nodes = DagsterApi(web).ask("{ assetNodes { assetKey { path } } }")["assetNodes"]
    keys = {tuple(node["assetKey"]["path"]) for node in nodes}
    assert {("us", "orders", "events"), ("us", "orders", "orders_by_country")} <= keys

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
