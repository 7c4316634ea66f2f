"""Ingest in a process of its own, as it runs in production: watched, and told to stop by SIGTERM."""

from __future__ import annotations

import dataclasses
import multiprocessing
import signal
import threading
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from types import FrameType
from typing import Any

import psutil

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.errors import HeadwaterError
from pipeline.ingest.limits import DEFAULT_LIMITS, Limits
from pipeline.ingest.report import CommittedBatch
from pipeline.ingest.run import ingest

STOP_S = 60.0


@dataclass(frozen=True)
class Commit:
    """One commit, as the ingest told it; `at` is in seconds since the epoch."""

    at: float
    rows: int
    duplicates: int
    dead_letters: int
    gaps: int
    lag: int


class EngineFailedError(RuntimeError):
    """The ingest ended by an error; the message is its own."""


class Engine:
    """One ingest. It begins with `go`; until then its process only holds what is imported.

    Attributes:
        commits: what it has told so far; kept up to date by `listen`.

    Raises:
        EngineFailedError: its process ended before it was ready.
    """

    def __init__(self, cell: Cell, product: Product, limits: Limits, *, once: bool) -> None:
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe()
        self._process = context.Process(
            target=_work, args=(cell, product, limits, once, theirs), daemon=True
        )
        self._process.start()
        theirs.close()
        try:
            self._ours.recv()
        except EOFError:
            raise EngineFailedError("ended before it was ready") from None
        self.commits: list[Commit] = []
        self.watched = psutil.Process(self._process.pid)

    @property
    def cpu_s(self) -> float:
        """CPU seconds so far, of all its threads; 0 once it has ended."""
        try:
            times = self.watched.cpu_times()
        except psutil.NoSuchProcess:
            return 0.0
        return float(times.user + times.system)

    def go(self) -> None:
        """Begin."""
        self._ours.send("go")

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.is_alive()

    def listen(self, timeout_s: float = 0.0) -> bool:
        """Take in what it told, waiting up to `timeout_s` for the first word; False once it has ended.

        Raises:
            EngineFailedError: it told of an error, or was killed.
        """
        while self._ours.poll(timeout_s):
            timeout_s = 0.0
            try:
                said = self._ours.recv()
            except EOFError:
                self._process.join(STOP_S)
                if self._process.exitcode:
                    raise EngineFailedError(f"ended with code {self._process.exitcode}") from None
                return False
            if isinstance(said, str):
                raise EngineFailedError(said)
            self.commits.append(said)
        return True

    def stop(self) -> None:
        """Ask it to stop, as a supervisor does, and wait for its end.

        Raises:
            EngineFailedError: it told of an error, or does not stop.
        """
        self._process.terminate()
        deadline = time.monotonic() + STOP_S
        while self.listen(0.5):
            if time.monotonic() > deadline:
                self._process.kill()
                raise EngineFailedError(f"not stopped within {STOP_S:g} s")
        self._process.join(STOP_S)

    def kill(self) -> None:
        """End it at once, whatever it does."""
        self._process.kill()
        self._process.join()


def limits_of(memory_mb: int | None) -> tuple[Limits, int | None]:
    """Return limits with this bound on memory, and the bound that then holds; None: the engine's own.

    An engine that has no such setting yet is given none, and no bound holds.
    """
    if not any(field.name == "memory_mb" for field in dataclasses.fields(Limits)):
        return DEFAULT_LIMITS, None
    chosen: dict[str, Any] = {} if memory_mb is None else {"memory_mb": memory_mb}
    limits = dataclasses.replace(DEFAULT_LIMITS, **chosen)
    return limits, int(getattr(limits, "memory_mb"))  # noqa: B009 - absent in an older engine


def _work(cell: Cell, product: Product, limits: Limits, once: bool, pipe: Connection) -> None:
    stop = threading.Event()

    def asked(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    def told(done: CommittedBatch) -> None:
        pipe.send(
            Commit(time.time(), done.rows, done.duplicates, done.dead_letters, done.gaps, done.lag)
        )

    signal.signal(signal.SIGTERM, asked)
    # Ctrl-C reaches every process of the terminal; the parent decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pipe.send("ready")
    pipe.recv()
    try:
        ingest(cell, product, once=once, limits=limits, stop=stop, on_commit=told)
    except HeadwaterError as error:
        pipe.send(str(error))
    pipe.close()
