"""`headwater up`, `status` and `down`, as a user runs them, on a stack of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from headwater.stack.ports import free_port
from pipeline.settings import load_settings
from tests.support.dagster_api import DagsterApi, wait_until

CODE_SERVER = "code-server-definitions.py"
WORKSPACE = """\
load_from:
  - python_file: {definitions}
"""
DEFINITIONS = """\
import dagster as dg
from pipeline.settings import load_settings

names = [folder.name for folder in load_settings().contracts.iterdir()]
defs = dg.Definitions([dg.AssetSpec(name) for name in names])
"""


class Headwater:
    """The command line on a home of its own."""

    def __init__(self, folder: Path, port: int) -> None:
        self.contracts = folder / "contracts"
        shutil.copytree(load_settings().contracts, self.contracts)
        self._environment = {
            **os.environ,
            "HEADWATER_HOME": str(folder / "home"),
            "HEADWATER_CONTRACTS": str(self.contracts),
        }
        definitions = folder / "definitions.py"
        definitions.write_text(DEFINITIONS)
        self._workspace = folder / "workspace.yaml"
        self._workspace.write_text(WORKSPACE.format(definitions=definitions))
        self._port = port

    @property
    def cell_json(self) -> Path:
        return Path(self._environment["HEADWATER_HOME"]) / "cells" / "us" / "cell.json"

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "headwater.cli.main", *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def up(self) -> dict[str, dict[str, Any]]:
        ports = ["--kafka-port", str(self._port), "--web-port", str(free_port())]
        done = self.run("up", "--json", "--workspace", str(self._workspace), *ports)
        assert done.returncode == 0, done.stderr
        return parts(done)


def parts(done: subprocess.CompletedProcess[str]) -> dict[str, dict[str, Any]]:
    return {part["name"]: part for part in json.loads(done.stdout)["parts"]}


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port that a stranger listens on."""
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        yield int(stranger.getsockname()[1])


@pytest.fixture
def headwater(tmp_path: Path, taken_port: int) -> Iterator[Headwater]:
    command = Headwater(tmp_path, taken_port)
    yield command
    command.run("down")


def test_the_stack_starts_repairs_and_stops(headwater: Headwater, taken_port: int) -> None:
    nothing = headwater.run("status")
    assert nothing.returncode == 1
    assert "nothing was started yet" in nothing.stdout

    first = headwater.up()
    dagster = {"dagster-webserver", "dagster-daemon", CODE_SERVER}
    assert set(first) == {"kafka-us", "schema-registry-us", "data-docs", *dagster}
    assert all(part["healthy"] for part in first.values())
    assert first["kafka-us"]["address"] != f"127.0.0.1:{taken_port}", (
        "a stranger's port is left alone"
    )

    assert headwater.up() == first, "what runs is left alone"

    assert_code_is_current(headwater, first)

    told = json.loads(headwater.run("status", "--json").stdout)
    assert {product["ingest"] for product in told["products"]} == {"awaiting topic"}
    assert told["healthy"], "there is nothing to ingest yet"

    written = json.loads(headwater.cell_json.read_text()) | {"spark": {"spark.master": "local[1]"}}
    headwater.cell_json.write_text(json.dumps(written | {"bootstrap_servers": "elsewhere:9092"}))

    for name in first:
        os.kill(first[name]["pid"], signal.SIGKILL)
    wait_until_gone(part["pid"] for part in first.values())
    down = headwater.run("status", "--json")
    assert down.returncode == 1
    assert not any(part["healthy"] for part in parts(down).values())
    problems = [" ".join(one["problems"]) for one in json.loads(down.stdout)["products"]]
    assert all("Kafka does not answer" in one for one in problems)

    again = headwater.up()
    assert all(part["healthy"] for part in again.values())
    assert all(again[name]["pid"] != first[name]["pid"] for name in first)
    assert again["kafka-us"]["address"] == first["kafka-us"]["address"]
    assert json.loads(headwater.cell_json.read_text()) == written, "a person's settings are kept"

    own = {"schema_registry": {"url": "http://127.0.0.1:9"}}
    headwater.cell_json.write_text(json.dumps(written | own))
    kept = {name: part for name, part in again.items() if name != "schema-registry-us"}
    assert headwater.up() == kept, "a cell with a registry of its own needs none here"

    assert headwater.run("down").returncode == 0
    assert not any(psutil.pid_exists(part["pid"]) for part in again.values())
    assert headwater.run("down").returncode == 0, "stopping twice is no error"


def assert_code_is_current(headwater: Headwater, parts: dict[str, dict[str, Any]]) -> None:
    api = DagsterApi(parts["dagster-webserver"]["address"])
    server = psutil.Process(parts[CODE_SERVER]["pid"])

    def loaded() -> set[str]:
        nodes = api.ask("{ assetNodes { assetKey { path } } }")["assetNodes"]
        return {node["assetKey"]["path"][0] for node in nodes}

    products = {folder.name for folder in headwater.contracts.iterdir()}
    assert loaded() == products
    shutil.copytree(headwater.contracts / "departures", headwater.contracts / "another")
    wait_until("a contract that came is loaded", lambda: loaded() == products | {"another"}, 60)
    shutil.rmtree(headwater.contracts / "another")
    wait_until("a contract that went is gone", lambda: loaded() == products, 60)

    # The process that has the code dies, and another takes its place. Former ones may still be ending.
    children = server.children()
    max(children, key=psutil.Process.create_time).kill()
    wait_until("code is loaded again", lambda: set(server.children()) - set(children), 60)
    wait_until("it is served again", lambda: loaded() == products, 60)


def wait_until_gone(pids: Iterator[int]) -> None:
    deadline = time.monotonic() + 20
    for pid in pids:
        while psutil.pid_exists(pid) and time.monotonic() < deadline:
            time.sleep(0.1)
