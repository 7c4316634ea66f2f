"""Systemd's units: well-formed, hardened, and they run parts that there are."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.deployed import DEPLOY, INSTALLED, UNITS, explained, unit, words_of

ANALYZE = shutil.which("systemd-analyze")
MOST_EXPOSED = 2.0
each_unit = pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
needs_analyze = pytest.mark.skipif(ANALYZE is None, reason="there is no systemd")


@each_unit
def test_a_unit_runs_a_part_that_there_is(path: Path) -> None:
    explained(words_of(path))
    assert unit(path)["Service"]["User"] == "headwater"


@needs_analyze
def test_systemd_understands_every_line(tmp_path: Path) -> None:
    for path in (*UNITS, DEPLOY / "systemd" / "headwater.target"):
        text = path.read_text().replace(INSTALLED, sys.executable)
        (tmp_path / path.name).write_text(text)
    command = [
        ANALYZE or "",
        "verify",
        "--man=no",
        "--recursive-errors=no",
        *map(str, sorted(tmp_path.iterdir())),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@needs_analyze
@each_unit
def test_a_unit_is_confined(path: Path) -> None:
    command = [ANALYZE or "", "security", "--offline=true", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    exposed = re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)
    assert exposed is not None
    assert float(exposed[1]) < MOST_EXPOSED, done.stdout
