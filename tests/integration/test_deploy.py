"""What the compose file and systemd's units run, as processes over real systems: one home, several parts."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest

from headwater.stack.broker import KafkaBroker
from headwater.stack.ports import free_port
from pipeline.settings import PROJECT
from tests.support.dagster_api import DagsterApi, wait_until
from tests.support.deployed import OURS, UNITS, unit, words_of
from tests.support.postgresql import PostgresqlServer
from tests.support.seaweedfs import SeaweedfsServer

COMMAND = "from headwater.cli.main import main\nmain()\n"
ORDERS = 3
END_S = 15
pytestmark = pytest.mark.timeout(600)


@dataclass
class Deployed:
    """Parts in one folder of a project, as containers or units have it.

    Attributes:
        instead: what stands on this machine for what a command line or a variable names.
    """

    project: Path
    instead: Mapping[str, str]
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def here(self, text: str) -> str:
        for there, here in self.instead.items():
            text = text.replace(there, here)
        return text

    def start(self, name: str, words: list[str], variables: Mapping[str, str]) -> None:
        log = self.project.parent / f"{name}.log"
        with log.open("wb") as output:
            self.running[name] = subprocess.Popen(
                self._command(words),
                env=self._environment(variables),
                cwd=self.project,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def run(
        self, words: list[str], variables: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._command(words),
            env=self._environment(variables),
            cwd=self.project,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def end(self, name: str) -> int:
        """Tell a part's process group to end, as `tini -g` and systemd do, and return its exit code."""
        process = self.running.pop(name)
        os.killpg(process.pid, signal.SIGTERM)
        return process.wait(END_S)

    def log(self, name: str) -> str:
        return (self.project.parent / f"{name}.log").read_text()

    def _command(self, words: list[str]) -> list[str]:
        return [sys.executable, "-c", COMMAND, *map(self.here, words)]

    def _environment(self, variables: Mapping[str, str]) -> dict[str, str]:
        inherited = {name: text for name, text in os.environ.items() if "HEADWATER" not in name}
        said = {name: self.here(text) for name, text in variables.items()}
        home = self.here("/var/lib/headwater")
        return {**inherited, "PYTHONPATH": str(PROJECT), "HEADWATER_HOME": home, **said}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project that `headwater init` makes, with a topic of its own."""
    made = [sys.executable, "-c", COMMAND, "init", "shop"]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    subprocess.run(made, cwd=tmp_path, env=environment, check=True, capture_output=True)
    contract = tmp_path / "shop" / "contracts" / "orders" / "contract.yaml"
    topic = f"orders_{uuid4().hex}"
    contract.write_text(
        re.sub(r"physicalName: orders_v1", f"physicalName: {topic}", contract.read_text())
    )
    return tmp_path / "shop"


@pytest.fixture
def deployed(
    project: Path,
    broker: KafkaBroker,
    postgresql: PostgresqlServer,
    seaweedfs: SeaweedfsServer,
) -> Iterator[Deployed]:
    """The compose file's systems, on this machine."""
    secrets = project.parent / "secrets"
    secrets.mkdir()
    for name, text in {
        "catalog_uri": postgresql.database(f"db_{uuid4().hex}"),
        "dagster_uri": postgresql.database(f"db_{uuid4().hex}"),
        "s3_key": seaweedfs.key,
        "s3_secret": seaweedfs.secret,
    }.items():
        (secrets / name).write_text(f"{text}\n")
    code, web, registry = (f"127.0.0.1:{free_port()}" for _ in range(3))
    instead = {
        "kafka:9092": broker.bootstrap_servers,
        "http://seaweedfs:8333": seaweedfs.endpoint,
        "s3://lake": seaweedfs.bucket(f"lake-{uuid4().hex}"),
        "/run/secrets": str(secrets),
        "schema-registry:8081": registry,
        "0.0.0.0:8081": registry,
        "code-us:4000": code,
        "0.0.0.0:4000": code,
        "webserver:3000": web,
        "0.0.0.0:3000": web,
        "/var/lib/headwater": str(project.parent / "home"),
    }
    found = Deployed(project, instead)
    yield found
    for name in [*found.running]:
        found.running[name].poll() is None and found.end(name)


def test_what_the_compose_file_runs_takes_records_to_tables_in_its_systems(
    deployed: Deployed,
) -> None:
    for name in ("schema-registry", "code-us", "webserver", "daemon"):
        deployed.start(name, OURS[name]["command"], OURS[name]["environment"])
    variables = OURS["code-us"]["environment"]
    web = f"http://{deployed.here('webserver:3000')}"
    wait_until("the UI answers", lambda: answers(f"{web}/server_info"), 180)

    sample = str(deployed.project / "samples" / "orders.jsonl")
    sent = deployed.run(["produce", "orders", "--from", sample], variables)
    assert sent.returncode == 0, sent.stderr
    examined = deployed.run(["doctor", "--cell", "us", "--json"], variables)
    assert examined.returncode == 0, examined.stdout

    def ingested() -> bool:
        told = deployed.run(["ledger", "orders", "--json"], variables)
        return told.returncode == 0 and json.loads(told.stdout)["totals"]["rows"] == ORDERS

    wait_until("the daemon has an ingest commit them", ingested, 180)
    (status, *_) = (status for _, status in DagsterApi(web).runs("us__orders__ingest"))
    assert status == "STARTED"
    for name in ("daemon", "webserver", "code-us", "schema-registry"):
        assert deployed.end(name) in (0, -signal.SIGTERM), deployed.log(name)
    balanced = deployed.run(["ledger", "orders", "--verify"], variables)
    assert balanced.returncode == 0, balanced.stdout


def test_what_units_run_beside_dagster_answers_and_ends_when_it_is_told(project: Path) -> None:
    registry, docs = free_port(), free_port()
    ports = {"headwater-schema-registry@.service": registry, "headwater-data-docs.service": docs}
    deployed = Deployed(project, {"/var/lib/headwater": str(project.parent / "home")})
    variables = {"HEADWATER_CELLS__US__BOOTSTRAP_SERVERS": "127.0.0.1:9"}
    units = {path.name: path for path in UNITS}
    for name, port in ports.items():
        assert "HEADWATER_HOME=/var/lib/headwater" in unit(units[name])["Service"]["Environment"]
        words = [*words_of(units[name]), "--listen", f"127.0.0.1:{port}"]
        deployed.start(name, words, variables)
    for name, port in ports.items():
        wait_until(name, partial(answers, f"http://127.0.0.1:{port}/"), 60)
        assert deployed.end(name) in (0, -signal.SIGTERM)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=3):  # noqa: S310 - loopback
            return True
    except OSError:
        return False
