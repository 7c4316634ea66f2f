"""What commands import: told by processes of their own, as a user starts them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.cells import embedded_cell, save_cell
from pipeline.contract.load import load_product
from pipeline.ingest.commit.tables import ensure_tables
from pipeline.settings import PROJECT

pytestmark = pytest.mark.slow

WALK = """
import sys
import click
from headwater.cli.main import cli

def walk(command, context):
    assert command.get_help(context)
    for name in command.list_commands(context) if isinstance(command, click.Group) else ():
        below = command.get_command(context, name)
        walk(below, click.Context(below, info_name=name, parent=context))
        print(context.info_name, name)

walk(cli, click.Context(cli, info_name="headwater"))
"""
CHECK = """
import sys
from headwater.cli.main import cli
assert cli(["contract", "check"], standalone_mode=False) == 0
"""
ENGINES = {
    "pyspark",
    "dagster",
    "polars",
    "numba",
    "great_expectations",
    "pandera",
    "pandas",
    "pyiceberg",
}
LEDGER = """
import sys
from headwater.cli.main import main
sys.argv = ["headwater", "ledger", "viewing_events", "--cell", "us"]
try:
    main()
except SystemExit as ended:
    assert ended.code == 0
"""
HOURS = """
import sys
from headwater.without_pandas import without_pandas
without_pandas()
import headwater.cli.render.hours, pipeline.batch.planning.read_inputs
"""
TELL = """
found = {name.partition(".")[0] for name in sys.modules} - {*sys.stdlib_module_names}
print(*sorted(name for name in found if not name.startswith("_")))
"""


def run(code: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_the_help_of_every_command_imports_click_alone() -> None:
    *commands, imported = run(WALK + TELL)
    assert len(commands) > 20
    assert "ingest run" in commands
    assert set(imported.split()) == {"click", "headwater", "pipeline"}


def test_a_check_of_contracts_imports_no_engine() -> None:
    """Neither Spark nor what else computes: the project's contracts have rules and reference data."""
    *_, imported = run(CHECK + TELL)
    assert not {*imported.split()} & ENGINES


@pytest.mark.parametrize("code", [LEDGER, HOURS], ids=["ledger", "hours"])
def test_what_reads_metadata_imports_nothing_that_computes(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of what it took was pandas, which PyArrow imports by itself, and Polars."""
    cell = embedded_cell(tmp_path, "us", "127.0.0.1:9")
    save_cell(tmp_path, cell)
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path))
    ensure_tables(cell, load_product(PROJECT / "contracts" / "viewing_events"))
    *_, imported = run(code + TELL)
    assert "pyiceberg" in imported
    assert not {*imported.split()} & (ENGINES - {"pyiceberg"})


def test_a_contract_that_great_expectations_is_asked_about_is_read_by_every_command() -> None:
    code = """
import sys
from headwater.without_pandas import without_pandas
without_pandas()
from pipeline.contract.checks.expectation_trial import trial_mistakes
kwargs = {"column": "a", "regex_list": ["a"]}
print(*trial_mistakes("expect_column_values_to_match_regex_list", kwargs), "pandas" in sys.modules)
"""
    assert run(code) == ["True"]
