"""A real stack with one product, written to all the time, whose ingest is killed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil

from headwater.stack import stack
from headwater.stack.ports import free_port
from pipeline.cells import Cell, load_cell
from pipeline.contract.load import load_product
from pipeline.contract.model import Product
from pipeline.settings import load_settings
from pipeline.supervision.locks import ingest_lock, lock_holder
from tests.support.dagster_api import DagsterApi
from tests.support.load import TopicWriter

PRODUCT = "viewing_events"
JOB = f"us__{PRODUCT}__ingest"
RECORDS = 200
EVERY_S = 2.0
LOAD = 20


@dataclass
class Stage:
    """The running stack.

    Attributes:
        code_server: what starts runs, of maintenance and hours, too.
        written: records written so far.
    """

    cell: Cell
    product: Product
    api: DagsterApi
    code_server: psutil.Process
    written: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)
    _writer: threading.Thread | None = None

    @property
    def owner(self) -> str | None:
        """The run that ingests now."""
        return lock_holder(ingest_lock(self.cell, PRODUCT))

    def ingesting(self) -> psutil.Process | None:
        """Return the process of the newest ingest run, which may still start; None unless it lives."""
        run_id, _ = next(iter(self.api.runs(JOB)), ("", ""))
        pid = self.api.run_pid(run_id) if run_id else None
        runs = self.code_server.children(recursive=True)
        return next((one for one in runs if one.pid == pid), None)

    def ends(self) -> dict[str, str]:
        """Return run id -> status of every ingest run."""
        return dict(self.api.runs(JOB))

    def start_writing(self) -> None:
        """Write some records every two seconds, until `stop_writing`."""
        self._writer = threading.Thread(target=self._write)
        self._writer.start()

    def stop_writing(self) -> None:
        """Return once the last records are written. May be called again."""
        self._stop.set()
        if self._writer is not None:
            self._writer.join()

    def _write(self) -> None:
        seed = 0
        while not self._stop.wait(EVERY_S):
            seed += 1
            self.written += TopicWriter(self.cell, self.product, seed=seed).fill(RECORDS).records


@contextmanager
def running_stage(root: Path) -> Iterator[Stage]:
    """Start a stack under `root`, and write to its topic as long as the block lasts."""
    shutil.copytree(load_settings().contracts / PRODUCT, root / "contracts" / PRODUCT)
    settings = replace(load_settings(), home=root / "home", contracts=root / "contracts")
    try:
        parts = {
            part.name: part
            for part in stack.up(
                settings, ["us"], print, kafka_port=free_port(), web_port=free_port()
            )
        }
        stage = Stage(
            load_cell(settings.home, "us"),
            load_product(settings.contracts / PRODUCT),
            DagsterApi(parts["dagster-webserver"].address or ""),
            psutil.Process(parts["code-server-us"].pid),
        )
        stage.start_writing()
        try:
            yield stage
        finally:
            stage.stop_writing()
    finally:
        stack.down(settings, print)


@contextmanager
def machine_load(processes: int) -> Iterator[None]:
    """Have as many processes compute as hard as they can, each in a session of its own."""
    busy = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"], start_new_session=True)
        for _ in range(processes)
    ]
    try:
        deadline = time.monotonic() + 180
        while busy and os.getloadavg()[0] < 0.9 * processes and time.monotonic() < deadline:
            time.sleep(1)
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()
