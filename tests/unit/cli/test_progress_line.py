"""How far a command is, is shown on a terminal alone."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

SCRIPT = """
import sys, time
from headwater.cli import progress
progress.PATIENCE_S = 0.0
with progress.progress("counting", 4, quiet="quiet" in sys.argv) as advance:
    for _ in range(4):
        time.sleep(0.15)
        advance(1)
line = progress.Line(quiet="quiet" in sys.argv)
line.tell("one of two" + progress.left(60, 2.0))
line.end()
print("done")
"""
COLOR = re.compile(r"\x1b\[[0-9;]*m")


def told(*arguments: str, terminal: bool, **environment: str) -> str:
    """Return what a process has on standard error, which is a terminal or a pipe."""
    reading, writing = os.openpty() if terminal else os.pipe()
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        stdout=subprocess.PIPE,
        stderr=writing,
        env={**os.environ, "TERM": "xterm-256color", **environment},
        check=True,
        timeout=60,
    )
    os.close(writing)
    assert done.stdout == b"done\n"
    text = b""
    try:
        while part := os.read(reading, 65_536):
            text += part
    except OSError:
        """A terminal ends with an error."""
    os.close(reading)
    return text.decode()


def test_a_terminal_is_shown_how_far_it_is_and_how_long_it_takes() -> None:
    shown = told(terminal=True)
    for part in ("counting", "4/4", "left", "one of two, 30 s left"):
        assert part in shown
    assert COLOR.search(shown)


def test_no_color_is_heeded() -> None:
    shown = told(terminal=True, NO_COLOR="1")
    assert "counting" in shown
    # Bold and faint are no colours.
    assert not [one for one in COLOR.findall(shown) if re.search(r"\[(?:.*;)?(?:3|4|9)\d", one)]


@pytest.mark.parametrize(("arguments", "terminal"), [((), False), (("quiet",), True)])
def test_nothing_is_shown_elsewhere(arguments: tuple[str, ...], terminal: bool) -> None:
    assert told(*arguments, terminal=terminal) == ""
