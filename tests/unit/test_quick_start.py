"""What commands import: told by processes of their own, as a user starts them."""

from __future__ import annotations

import subprocess
import sys

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
