"""A broker and a cell of a benchmark's own, gone when it ends."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from headwater.stack.broker import KafkaBroker
from headwater.stack.jars import ensure_jars
from headwater.stack.ports import free_port
from pipeline.cells import Cell, embedded_cell, save_cell
from pipeline.settings import load_settings


@contextmanager
def own_cell(say: Callable[[str], None], folder: Path | None = None) -> Iterator[tuple[Path, Cell]]:
    """Start a real broker and give a fresh cell `us` on it, in a folder that is deleted at the end.

    The folder is made within `folder`, or where the system keeps temporary files. SIGTERM ends the
    process as Ctrl-C does, so that no broker stays behind; call it in the main thread.

    Raises: as `KafkaBroker.start`.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    root = Path(tempfile.mkdtemp(prefix="headwater-bench-", dir=folder))
    try:
        jars = ensure_jars(load_settings().cache, "kafka", say)
        broker = KafkaBroker(root / "kafka", jars, free_port(), free_port(), root / "kafka.log")
        process = broker.start()
        try:
            cell = embedded_cell(root, "us", broker.bootstrap_servers)
            save_cell(root, cell)
            yield root, cell
        finally:
            process.stop()
    finally:
        shutil.rmtree(root, ignore_errors=True)
