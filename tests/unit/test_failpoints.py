"""Failpoints: armed by the environment, read once, or by a call; in processes of their own, which die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from pipeline.failpoints import arm
from pipeline.settings import PROJECT, SettingInvalidError


def run(text: str, armed: str = "") -> tuple[str, int]:
    """Return what a process that runs `text` printed, and how it ended."""
    lines = ("import os", "from pipeline.failpoints import arm, failpoint", text)
    ended = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        cwd=PROJECT,
        env={**os.environ, "HEADWATER_FAILPOINT": armed},
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.stdout, ended.returncode


VISITS = "\n".join(
    f"failpoint({name!r}); print({name!r}, flush=True)" for name in ("a", "b", "a", "b")
)


@pytest.mark.parametrize(
    ("armed", "printed"), [("a", ""), ("b", "a\n"), ("a:2", "a\nb\n"), ("b:2", "a\nb\na\n")]
)
def test_a_process_dies_at_the_visit_that_its_environment_says(armed: str, printed: str) -> None:
    assert run(VISITS, armed) == (printed, -signal.SIGKILL)


@pytest.mark.parametrize("armed", ["", "c", "a:3"])
def test_it_lives_where_no_visit_is_that_one(armed: str) -> None:
    assert run(VISITS, armed) == ("a\nb\na\nb\n", 0)


def test_the_environment_is_read_once() -> None:
    late = f"failpoint('c')\nos.environ['HEADWATER_FAILPOINT'] = 'a'\n{VISITS}"
    assert run(late) == ("a\nb\na\nb\n", 0)


def test_what_a_process_arms_stands_in_place_of_its_environment() -> None:
    assert run(f"{VISITS}\narm('a:2')\n{VISITS}", "b:3") == ("a\nb\na\nb\na\nb\n", -signal.SIGKILL)


@pytest.mark.parametrize("place", ["a:0", "a:-1", "a:two"])
def test_a_visit_that_is_no_number_is_refused(place: str) -> None:
    with pytest.raises(SettingInvalidError, match="failpoint"):
        arm(place)
