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


def preflight(machine: Path, *parts: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROJECT / "deploy" / "preflight.sh", *parts],
        env={"PATH": str(machine)},
        capture_output=True,
        text=True,
        check=False,
    )


def give(machine: Path, command: str, script: str) -> None:
    (machine / command).write_text(f"#!/bin/sh\n{script}\n")
    (machine / command).chmod(0o755)


def give_java(machine: Path, banner: str = 'openjdk version "17" 2025-04-15') -> None:
    give(machine, "java", f"echo '{banner}' >&2")


def give_apt(machine: Path, install: str) -> None:
    """An apt-get that keeps what it was asked for, and carries out `install`."""
    give(machine, "id", "echo 0")
    give(machine, "apt-get", f'echo "$*" >>{machine}/asked\n[ "$1" = update ] || {{ {install}; }}')


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


def test_without_chromium_it_says_how_to_get_one(machine: Path) -> None:
    give_java(machine)
    give(machine, "id", "echo 1000")
    done = preflight(machine, "python", "java", "chromium")
    assert done.returncode == 1
    assert "headwater needs Chromium or Google Chrome" in done.stderr
    assert "apt-get install chromium" in done.stderr
    assert preflight(machine).returncode == 0, "tests alone need it"


def test_apt_is_asked_for_chromium_by_root_alone_and_once(machine: Path) -> None:
    give_java(machine)
    give_apt(machine, f": >{machine}/chromium && {shutil.which('chmod')} +x {machine}/chromium")
    for _ in range(2):
        done = preflight(machine, "python", "java", "chromium")
        assert (done.returncode, done.stdout) == (0, "")
    asked = (machine / "asked").read_text().splitlines()
    assert asked == ["update -qq", "install -y -qq --no-install-recommends chromium"]


def test_an_apt_that_has_no_chromium_is_told_as_having_none(machine: Path) -> None:
    give_java(machine)
    give_apt(machine, "echo 'E: no such package' >&2; exit 100")
    done = preflight(machine, "python", "java", "chromium")
    assert done.returncode == 1
    assert "E: no such package" in done.stderr
    assert "headwater needs Chromium or Google Chrome" in done.stderr


def test_all_that_is_missing_is_told_at_once_and_nothing_is_installed(machine: Path) -> None:
    (machine / "python3").unlink()
    give_apt(machine, "exit 0")
    done = preflight(machine, "python", "java", "chromium")
    assert done.returncode == 1
    for what in ("Python 3.11", "Java 17", "Chromium"):
        assert f"headwater needs {what}" in done.stderr
    assert not (machine / "asked").exists()
