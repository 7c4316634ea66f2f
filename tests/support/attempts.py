"""Ingest in processes of their own, which may be told to die.

Importing what ingest needs takes seconds; a server process does it once and forks each attempt, so
that an attempt costs what a started process costs after its imports, and shares nothing with others.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
import traceback
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.ingest.plan import Limits
from pipeline.ingest.run import ingest

LIMIT_S = 60.0

_context = multiprocessing.get_context("forkserver")
# The last ones are imported only when first used, which each attempt would pay for again.
_context.set_forkserver_preload(
    [
        "pytest",
        "tests.support.attempts",
        "hypothesis.strategies",
        "pandera.backends.polars.register",
        "pyarrow.acero",
        "pyiceberg.avro.decoder_fast",
        "pyiceberg_core",
        "sqlalchemy.dialects.sqlite",
    ]
)


class AttemptFailedError(AssertionError):
    """The process neither caught up nor died as it was told to."""


@dataclass(frozen=True)
class Attempt:
    """One ingest process that was started; it ends when caught up."""

    process: BaseProcess
    said: Path

    def wait(self, seconds: float = LIMIT_S) -> int:
        """Return its exit code, minus the signal that ended it.

        Raises:
            AttemptFailedError: it raised an error, or did not end in time.
        """
        self.process.join(seconds)
        code = self.process.exitcode
        if code is None:
            self.process.kill()
            self.process.join()
            raise AttemptFailedError(f"not ended after {seconds} s: {self.said.read_text()}")
        if code not in (0, -signal.SIGKILL):
            raise AttemptFailedError(f"ended with {code}: {self.said.read_text()}")
        return code

    def kill_after(self, seconds: float) -> bool:
        """SIGKILL it after `seconds`; False if it had caught up by then."""
        self.process.join(seconds)
        self.process.kill()
        return self.wait() == -signal.SIGKILL


def start(
    cell: Cell, product: Product, *, failpoint: str | None = None, max_records: int = 100
) -> Attempt:
    """Start ingesting `product` until caught up, dying by SIGKILL at `failpoint` (`name:hits`)."""
    handle, said = tempfile.mkstemp(prefix="attempt-", dir=cell.root)
    os.close(handle)
    process = _context.Process(
        target=_ingest, args=(cell, product, failpoint, max_records, said), daemon=True
    )
    process.start()
    return Attempt(process, Path(said))


def catch_up(cell: Cell, product: Product, *, max_records: int = 10_000) -> None:
    """Ingest `product` to the end of its topic in a process of its own.

    Raises:
        AttemptFailedError: it did not get there.
    """
    code = start(cell, product, max_records=max_records).wait()
    if code != 0:
        raise AttemptFailedError(f"ended with {code}")


def _ingest(
    cell: Cell, product: Product, failpoint: str | None, max_records: int, said: str
) -> None:
    if failpoint is not None:
        os.environ["HEADWATER_FAILPOINT"] = failpoint
    try:
        ingest(cell, product, once=True, limits=Limits(max_records=max_records))
    except BaseException:
        Path(said).write_text(traceback.format_exc())
        raise
