"""What systemd's units run beside Dagster, as processes; deployment.py has what the compose file runs."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest

from headwater.stack.ports import free_port
from pipeline.settings import PROJECT
from tests.support.dagster_api import wait_until
from tests.support.deployed import UNITS, unit, words_of

COMMAND = "from headwater.cli.main import main\nmain()\n"
END_S = 60
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
