"""A machine that lacks something is told what, and how to get it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.settings import PROJECT


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A PATH with a shell's tools and Python, and no Java."""
    for tool in ("sh", "head", "sed"):
        (tmp_path / tool).symlink_to(str(shutil.which(tool)))
    (tmp_path / "python3").symlink_to(sys.executable)
    return tmp_path


def preflight(machine: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROJECT / "deploy" / "preflight.sh"],
        env={"PATH": str(machine)},
        capture_output=True,
        text=True,
        check=False,
    )


def give_java(machine: Path, banner: str) -> None:
    java = machine / "java"
    java.write_text(f"#!/bin/sh\necho '{banner}' >&2\n")
    java.chmod(0o755)


def test_without_java_it_says_how_to_get_one(machine: Path) -> None:
    done = preflight(machine)
    assert done.returncode == 1
    assert "headwater needs Java 17 or newer (found: none)" in done.stderr
    assert "apt-get install openjdk-17-jre-headless" in done.stderr


def test_an_older_java_is_named(machine: Path) -> None:
    give_java(machine, 'openjdk version "11.0.2" 2019-01-15')
    done = preflight(machine)
    assert done.returncode == 1
    assert '(found: openjdk version "11.0.2" 2019-01-15)' in done.stderr


@pytest.mark.parametrize("version", ["17", "17.0.15", "21.0.1"])
def test_a_machine_with_all_it_needs_passes_in_silence(machine: Path, version: str) -> None:
    give_java(machine, f'openjdk version "{version}" 2025-04-15')
    done = preflight(machine)
    assert (done.returncode, done.stderr) == (0, "")


def test_without_python_it_says_how_to_get_one(machine: Path) -> None:
    (machine / "python3").unlink()
    give_java(machine, 'openjdk version "17" 2025-04-15')
    done = preflight(machine)
    assert done.returncode == 1
    assert "Python 3.11, 3.12 or 3.13" in done.stderr
