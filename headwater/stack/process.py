"""Processes that outlive the command that started them, and are never mistaken for another's."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from pipeline.errors import RetryableError
from pipeline.settings import Settings, code_environment


class StartFailedError(RetryableError):
    """A part of the stack did not become ready."""


@dataclass(frozen=True)
class Process:
    """A process as the system knows it: a pid may be used again, a pid and a start time not.

    Attributes:
        started: seconds since the epoch, as the system reports it.
    """

    pid: int
    started: float

    @property
    def alive(self) -> bool:
        """Whether this very process still runs."""
        return self._find() is not None

    def stop(self, patience_s: float = 20.0) -> None:
        """End it and its descendants: SIGTERM, then SIGKILL for what is left after `patience_s`.

        Does nothing if it has ended.
        """
        stop_all([self], patience_s)

    def kill(self) -> None:
        """End it at once, as a crash would; its descendants are left alone."""
        found = self._find()
        if found is not None:
            _kill([found])

    def _find(self) -> psutil.Process | None:
        try:
            found = psutil.Process(self.pid)
            same = abs(found.create_time() - self.started) < 0.01
            ended = found.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return None
        return found if same and not ended else None

    def environment(self) -> Mapping[str, str]:
        """Return the environment that it was started with; an empty one if it has ended, or only begins."""
        found = self._find()
        try:
            return {} if found is None else found.environ()
        except psutil.NoSuchProcess:
            return {}

    def family(self) -> list[psutil.Process]:
        """Return the process and its descendants; none if it has ended."""
        found = self._find()
        return [] if found is None else [*found.children(recursive=True), found]


def stop_all(processes: Iterable[Process], patience_s: float = 20.0) -> None:
    """End them and their descendants, as `end` does."""
    end([member for process in processes for member in process.family()], patience_s)


def end(processes: Sequence[psutil.Process], patience_s: float) -> None:
    """End all at once: SIGTERM, then SIGKILL for what is left after `patience_s` seconds."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    _, left = psutil.wait_procs(processes, timeout=patience_s)
    _kill(left)


def _kill(processes: Sequence[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, timeout=10)


def start_detached(
    command: Sequence[str], log: Path, environment: Mapping[str, str], cwd: Path
) -> Process:
    """Start `command` in a session of its own, its output appended to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd=cwd,
            start_new_session=True,
        )
    child.returncode = 0  # Detached: nobody here waits for it, and nobody is to be warned of that.
    return Process(child.pid, psutil.Process(child.pid).create_time())


def inherited_environment(settings: Settings) -> dict[str, str]:
    """Return the environment for a part, whatever folder it works in: this process's, and more."""
    config = {"HEADWATER_CONFIG": str(settings.config)} if settings.config else {}
    return {**os.environ, **code_environment(), **config}


def tail(log: Path, lines: int = 15) -> str:
    """Return the last lines of `log`, for an error message."""
    if not log.exists():
        return "(no log)"
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
