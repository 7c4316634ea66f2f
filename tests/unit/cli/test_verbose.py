"""Errors without a name, and --verbose."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.settings import code_environment

UNEXPECTED = """
from headwater.cli import init, main
def fail(**_):
    import logging
    logging.getLogger("pipeline.x").debug("looked")
    raise KeyError("why")
init.init.callback = fail
main.main()
"""
NAMED = "from headwater.cli.main import main\nmain()\n"


def run(script: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=cwd,
        env={**os.environ, **code_environment()},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_an_error_without_a_name_is_told_in_a_line(tmp_path: Path) -> None:
    done = run(UNEXPECTED, "init", "shop", cwd=tmp_path)
    assert done.returncode == 70
    assert done.stderr == (
        "unexpected error: KeyError: 'why'. Run it again with --verbose to see where it comes from.\n"
    )


def test_verbose_logs_everything_and_shows_where_an_error_comes_from(tmp_path: Path) -> None:
    done = run(UNEXPECTED, "init", "shop", "--verbose", cwd=tmp_path)
    assert done.returncode == 70
    for part in ("looked", "Traceback", "in fail", "unexpected error: KeyError: 'why'.\n"):
        assert part in done.stderr
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize("more", [(), ("--verbose",)])
def test_an_error_with_a_name_is_the_last_line(tmp_path: Path, more: tuple[str, ...]) -> None:
    done = run(NAMED, "contract", "show", "shop", *more, cwd=tmp_path)
    assert done.returncode == 3
    assert ("Traceback" in done.stderr) == bool(more)
    assert done.stderr.splitlines()[-1].startswith("error: ")
