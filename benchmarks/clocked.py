"""A contestant's process between two moments: it warms up, is told to go, and says when it is done."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.family import Family

PROJECT = Path(__file__).parents[1]


class ContestantFailedError(Exception):
    """A contestant's process ended, or said something else than it should."""


@dataclass(frozen=True)
class Took:
    """What a process and all that it started took from the word to go until it said it was done.

    Attributes:
        peak_mb: most resident memory of all of them, warm-up included.
    """

    seconds: float
    cpu_s: float
    peak_mb: float


def clocked(command: Sequence[str], log: Path) -> Took:
    """Run a worker that does as `benchmarks.served` and return what its work took.

    What it prints to standard error goes to `log`.

    Raises:
        ContestantFailedError: its process failed; the message ends with what it printed last.
    """
    with log.open("w") as said:
        process = subprocess.Popen(
            list(command),
            cwd=PROJECT,
            env={**os.environ, "PYTHONPATH": str(PROJECT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
        )
        family = Family(process.pid)
        try:
            _expect("ready", process, log)
            began, cpu = time.perf_counter(), family.cpu_s()
            _tell("go", process)
            _expect("done", process, log)
            took, cpu = time.perf_counter() - began, family.cpu_s() - cpu
            _tell("end", process)
            process.wait(60)
        finally:
            family.close()
            family.kill()
            process.wait()
    return Took(took, cpu, family.peak_mb)


def _tell(word: str, process: subprocess.Popen[str]) -> None:
    if process.stdin is None:
        raise ContestantFailedError("it has no standard input")
    with suppress(BrokenPipeError):
        process.stdin.write(f"{word}\n")
        process.stdin.flush()


def _expect(word: str, process: subprocess.Popen[str], log: Path) -> None:
    said = process.stdout.readline().strip() if process.stdout else ""
    if said != word:
        raise ContestantFailedError(f"it said {said!r}, not {word!r}: {log.read_text()[-2000:]}")
