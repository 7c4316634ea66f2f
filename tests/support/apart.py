"""Work in processes of its own, which may be told to die, or to stop and sleep.

Importing what ingest needs takes seconds; a server process does it once and forks each attempt, so
that an attempt costs what a started process costs after its imports, and shares nothing with others.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path

import psutil

from pipeline.failpoints import arm
from pipeline.tables.commit import CommitConflictError
from tests.support.part import GAVE_UP, LOST, RETRIES

LIMIT_S = 180.0

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.support.warm"])


class AttemptFailedError(AssertionError):
    """The process neither caught up nor died as it was told to."""


@dataclass(frozen=True)
class Attempt:
    """One process that was started; it ends when its part does."""

    process: BaseProcess
    said: Path

    def wait(self, seconds: float = LIMIT_S) -> int:
        """Return its exit code, minus the signal that ended it; GAVE_UP if it did, and might.

        Raises:
            AttemptFailedError: it raised an error, or did not end in time.
        """
        self.process.join(seconds)
        code = self.process.exitcode
        if code is None:
            self.end()
            raise AttemptFailedError(f"not ended after {seconds} s: {self.said.read_text()}")
        if code not in (0, -signal.SIGKILL, GAVE_UP):
            raise AttemptFailedError(f"ended with {code}: {self.said.read_text()}")
        return code

    def kill_after(self, seconds: float) -> bool:
        """SIGKILL it after `seconds`; False if it had caught up by then."""
        self.process.join(seconds)
        self.process.kill()
        return self.wait() == -signal.SIGKILL

    def end(self) -> None:
        """SIGKILL it if it still runs or sleeps, whatever it was doing."""
        self.process.kill()
        self.process.join()

    def falls_asleep(self, seconds: float = LIMIT_S) -> bool:
        """Wait until it is stopped; False if it caught up without coming to its place.

        Raises:
            AttemptFailedError: it raised an error, or did neither in time.
        """
        deadline = time.monotonic() + seconds
        while self.process.exitcode is None and time.monotonic() < deadline:
            with contextlib.suppress(psutil.NoSuchProcess):
                if psutil.Process(self.process.pid).status() == psutil.STATUS_STOPPED:
                    return True
            time.sleep(0.005)
        self.wait(0)
        return False

    def wake(self) -> None:
        """Let it go on where it was stopped; does nothing to one that has ended."""
        if self.process.pid is not None and self.process.exitcode is None:
            os.kill(self.process.pid, signal.SIGCONT)

    @property
    def gave_up(self) -> bool:
        """Whether it ended by an error that says to try again."""
        return self.process.exitcode == GAVE_UP

    @property
    def answers_lost(self) -> int:
        """Commits of its that landed and whose answer it was not given."""
        return self.said.read_text().count(LOST)

    @property
    def races_lost(self) -> int:
        """Commits of its that did not land because another came first."""
        return self.said.read_text().count(RETRIES.format(CommitConflictError.__name__))


def start_apart(folder: Path, work: Callable[[Path], object]) -> Attempt:
    """Start `work`, which pickles, in a process of its own; what it says goes to the file that it is given.

    The file is new, in `folder`; an error that `work` raises is written to it.
    """
    with tempfile.NamedTemporaryFile(prefix="said-", dir=folder, delete=False) as file:
        said = Path(file.name)
    process = _context.Process(target=_do, args=(work, said), daemon=True)
    process.start()
    return Attempt(process, said)


def kill_at(place: str, folder: Path, work: Callable[[], object]) -> None:
    """Do `work`, which pickles, in a process of its own, and see it die by SIGKILL at the failpoint `place`.

    `folder` is for what it says.

    Raises:
        AttemptFailedError: it raised an error, ended without coming to `place`, or did not end in time.
    """
    code = start_apart(folder, partial(_until, place, work)).wait()
    if code != -signal.SIGKILL:
        raise AttemptFailedError(f"ended with {code}, not at {place}")


def _do(work: Callable[[Path], object], said: Path) -> None:
    try:
        work(said)
    except Exception:
        with said.open("a") as file:
            traceback.print_exc(file=file)
        raise


def _until(place: str, work: Callable[[], object], said: Path) -> None:
    arm(place)
    work()
