"""The `headwater` command as users run it: another process, its exit code and what it prints."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.cells import Cell, save_cell
from pipeline.contract.model import Product

LIMIT_S = 120.0

LIMITED_MAIN = """
import resource, sys
if limit := sys.argv.pop(1):
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
from headwater.cli.main import main
main()
"""


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Command:
    """The command line of one home, with a folder of contracts.

    Attributes:
        file_bytes: no file may grow beyond this size, as on a disk that is full; None is no limit.
    """

    home: Path
    contracts: Path
    file_bytes: int | None = None

    def run(self, *arguments: str) -> Result:
        """Run to the end."""
        return self.start(*arguments).result()

    def start(self, *arguments: str) -> Running:
        """Start, and leave it running."""
        limit = "" if self.file_bytes is None else str(self.file_bytes)
        with (
            tempfile.NamedTemporaryFile(dir=self.home, delete=False) as out,
            tempfile.NamedTemporaryFile(dir=self.home, delete=False) as err,
        ):
            process = subprocess.Popen(
                [sys.executable, "-c", LIMITED_MAIN, limit, *arguments],
                stdout=out,
                stderr=err,
                env={
                    **os.environ,
                    "HEADWATER_HOME": str(self.home),
                    "HEADWATER_CONTRACTS": str(self.contracts),
                },
            )
        return Running(process, Path(out.name), Path(err.name))


@dataclass(frozen=True)
class Running:
    """A command that runs."""

    process: subprocess.Popen[bytes]
    out: Path
    err: Path

    def result(self, within_s: float = LIMIT_S) -> Result:
        """Wait for its end.

        Raises:
            subprocess.TimeoutExpired: it was still running after `within_s`; it is killed then.
        """
        try:
            self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        return Result(self.process.returncode, self.out.read_text(), self.err.read_text())

    def end(self, number: signal.Signals, *, within_s: float) -> Result:
        """Send a signal, and wait for its end as `result` does."""
        self.process.send_signal(number)
        return self.result(within_s)

    def wait_for(self, happened: Callable[[], bool], within_s: float = 60.0) -> None:
        """Wait until `happened`.

        Raises:
            AssertionError: the command ended before, or it took longer than `within_s`; it is killed.
        """
        deadline = time.monotonic() + within_s
        while not happened():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                self.process.wait()
                raise AssertionError(f"it never happened; {self.err.read_text()}")
            time.sleep(0.05)


def command_for(cell: Cell, product: Product, *, file_bytes: int | None = None) -> Command:
    """Return the command line over `cell`, which lies in its home's `cells` folder.

    `product` must be the only one in its folder of contracts, or among products as valid.
    """
    home = cell.root.parent.parent
    save_cell(home, cell)
    return Command(home, product.folder.parent, file_bytes)
