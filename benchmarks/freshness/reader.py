"""A reader of the events table, in a process of its own, that knows nothing of the ingest."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from types import FrameType

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.manifest import ManifestEntryStatus
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Operation, Snapshot

from benchmarks.exactly_once import local_path
from benchmarks.freshness.latency import Sighting
from pipeline.cells import Cell
from pipeline.tables.catalog import open_catalog

POLL_S = 0.25


def watch(cell: Cell, identifier: str, pipe: Connection) -> None:
    """Send a `Sighting` for each snapshot that appends, oldest first, until SIGTERM.

    A table that is not there yet is waited for. Rows count as seen when their record times have been
    read from the data files of the snapshot.
    """
    stop = threading.Event()

    def asked(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, asked)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    catalog = open_catalog(cell)
    last: int | None = None
    pipe.send("ready")
    while not stop.wait(POLL_S):
        try:
            table = catalog.load_table(identifier)
        except NoSuchTableError:
            continue
        for snapshot in _since(table, last):
            last = snapshot.snapshot_id
            if snapshot.summary and snapshot.summary.operation == Operation.APPEND:
                pipe.send(_sighting(table, snapshot))
    pipe.close()


def _since(table: Table, last: int | None) -> list[Snapshot]:
    """Return main's snapshots after `last`, oldest first."""
    found: list[Snapshot] = []
    snapshot = table.current_snapshot()
    while snapshot is not None and snapshot.snapshot_id != last:
        found.append(snapshot)
        parent = snapshot.parent_snapshot_id
        snapshot = None if parent is None else table.snapshot_by_id(parent)
    return found[::-1]


def _sighting(table: Table, snapshot: Snapshot) -> Sighting:
    produced: dict[int, int] = {}
    for path in _added(table, snapshot):
        column = pq.read_table(path, columns=["_record_time"]).column("_record_time")
        micros = column.cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_numpy()
        millis, rows = np.unique(micros // 1000, return_counts=True)
        for instant, count in zip(millis.tolist(), rows.tolist(), strict=True):
            produced[instant] = produced.get(instant, 0) + count
    return Sighting(snapshot.snapshot_id, time.time_ns() // 1_000_000, produced)


def _added(table: Table, snapshot: Snapshot) -> Iterator[str]:
    for manifest in snapshot.manifests(table.io):
        if manifest.added_snapshot_id != snapshot.snapshot_id:
            continue
        for entry in manifest.fetch_manifest_entry(table.io):
            if entry.status == ManifestEntryStatus.ADDED:
                yield local_path(entry.data_file)
