"""How long a trace takes over 1, 10 and 100 million rows, warm and as a command; what its index costs."""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import polars as pl
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table

from benchmarks import results
from benchmarks.lineage.table import HOURS, hour_rows, made_table
from benchmarks.svg import Limit, Line, chart
from pipeline.cells import Cell, save_cell
from pipeline.contract.model import Product
from pipeline.ingest.commit.tables import ensure_tables
from pipeline.kafka.identity import TopicIdentity
from pipeline.tables.catalog import load_table
from pipeline.tables.data_files import write
from pipeline.tables.data_files.live import live_files
from pipeline.tables.layout import events_table
from pipeline.trace.duplicates import NOTHING
from pipeline.trace.model import Answer
from pipeline.trace.parquet import parquet_files
from pipeline.trace.read import trace_event

WARM, COLD = 20, 20
"""How often a trace is timed in the process, and as a command."""
WARM_S, COLD_S = 1.0, 3.0
"""What 95 of 100 of them may take."""
ROUNDS = 9
"""Of these the least counts."""


def add_options(options: argparse.ArgumentParser) -> None:
    """Add the part's options."""
    options.add_argument(
        "--rows", type=int, nargs="+", default=[1, 10, 100], help="millions (1 10 100)"
    )
    options.add_argument(
        "--folder", type=Path, help="where tables are made, stay and are used again; about 3 GB"
    )


def measure(options: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    """Return the part's result."""
    # What else is at work, in processes a core.
    load = round(os.getloadavg()[0] / (os.cpu_count() or 1), 1)
    sizes = []
    index: dict[str, Any] = {}
    for millions in options.rows:
        with _folder(options.folder, millions) as root:
            cell, product, kept = made_table(root, millions, say)
            if not index:
                index = _index(cell, product)
                say(f"index: {json.dumps(index)}")
            sizes.append(_size(root, cell, product, kept, millions * 1_000_000))
            say(json.dumps(sizes[-1]))
    met = all(one["warm_p95_s"] < WARM_S and one["cold_p95_s"] < COLD_S for one in sizes)
    return {"load": load, "sizes": sizes, "index": index, "met": met}


@contextmanager
def _folder(kept_in: Path | None, millions: int) -> Iterator[Path]:
    if kept_in is not None:
        yield kept_in / f"{millions}m"
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def plot(result: dict[str, Any]) -> str:
    """Return the SVG of how a trace grows."""
    lines = [
        Line(name, [(one["rows"] / 1e6, one[key]) for one in result["sizes"]])
        for name, key in (
            ("as a command, p95", "cold_p95_s"),
            ("in the process, p95", "warm_p95_s"),
        )
    ]
    limits = [Limit("promised of a command", COLD_S), Limit("promised in the process", WARM_S)]
    return chart("One event traced by its uuid", "million rows", "s", lines, limits)


def _size(root: Path, cell: Cell, product: Product, kept: list[str], rows: int) -> dict[str, Any]:
    chosen = random.Random(1)  # noqa: S311 - repeatable, not secret
    table = load_table(cell, events_table(product.name))
    begun = time.process_time()
    warm = [_warm(cell, product, chosen.choice(kept), Answer.ROW) for _ in range(WARM)]
    warm_cpu = (time.process_time() - begun) / WARM
    unknown = [_warm(cell, product, str(uuid.uuid4()), Answer.UNKNOWN) for _ in range(WARM)]
    save_cell(root / "home", cell)
    begun = _children_s()
    cold = [_cold(root, chosen.choice(kept)) for _ in range(COLD)]
    cold_cpu = (_children_s() - begun) / COLD
    files = live_files(table)
    return {
        "rows": rows,
        "files": len(files),
        "bytes": _bytes(table),
        "warm_median_s": round(statistics.median(warm), 3),
        "warm_p95_s": _p95(warm),
        "warm_cpu_s": round(warm_cpu, 3),
        "unknown_p95_s": _p95(unknown),
        "cold_median_s": round(statistics.median(cold), 3),
        "cold_p95_s": _p95(cold),
        "cold_cpu_s": round(cold_cpu, 3),
    }


def _warm(cell: Cell, product: Product, asked: str, answer: Answer) -> float:
    began = time.perf_counter()
    found = trace_event(cell, product, asked, NOTHING)
    took = time.perf_counter() - began
    if found.answer is not answer:
        raise RuntimeError(f"{asked} is {found.answer.value}, not {answer.value}")
    return took


def _cold(root: Path, asked: str) -> float:
    settings = {
        **os.environ,
        "HEADWATER_HOME": str(root / "home"),
        "HEADWATER_CONTRACTS": str(root / "contracts"),
    }
    command = [sys.executable, "-m", "headwater.cli.main", "trace", asked, "--cell", "us"]
    began = time.perf_counter()
    done = subprocess.run(command, env=settings, capture_output=True, text=True, check=True)
    took = time.perf_counter() - began
    if "it is a row of events" not in done.stdout:
        raise RuntimeError(done.stdout)
    return took


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _index(cell: Cell, product: Product) -> dict[str, Any]:
    """Return what Bloom filters cost those that write a million rows, and gain who looks for one."""
    events, _ = ensure_tables(cell, product)
    rng = np.random.default_rng(7)
    identity = TopicIdentity("cluster", product.topic.name, "topic", (0, 1, 2, 3))
    frames = [hour_rows(product, identity, hour, hour, rng) for hour in range(HOURS)]
    rows = sum(frame.height for frame in frames)
    took: dict[bool, list[float]] = {False: [], True: []}
    looked: dict[bool, list[float]] = {False: [], True: []}
    size = {}
    for number in range(ROUNDS):
        # In turns: what runs first of a round finds other memory than what follows.
        for filtered in ((False, True), (True, False))[number % 2]:
            seconds, files = _written(events, frames, filtered=filtered)
            took[filtered].append(seconds / rows * 1e9)
            size[filtered] = sum(file.file_size_in_bytes for file in files) / rows
            looked[filtered].append(_looked(events, files) / rows * 1e9)
            for file in files:
                events.io.delete(file.file_path)
    stages = json.loads((results.RESULTS / "stages.json").read_text())
    return {
        "write_ns": round(min(took[True])),
        "write_ns_without": round(min(took[False])),
        "ingest_ns": round(stages["sizes"][0]["cpu_ns"]),
        "row_bytes": round(size[True], 1),
        "row_bytes_without": round(size[False], 1),
        "look_ns": round(min(looked[True]), 1),
        "look_ns_without": round(min(looked[False]), 1),
    }


def _written(
    events: Table, frames: list[pl.DataFrame], *, filtered: bool
) -> tuple[float, tuple[DataFile, ...]]:
    with mock.patch.object(write, "FILTERED", write.FILTERED if filtered else ()):
        began = time.process_time()
        files = write.write_hours(events, frames)
        return time.process_time() - began, files


def _looked(events: Table, files: tuple[DataFile, ...]) -> float:
    with parquet_files(events) as opened:
        began = time.process_time()
        opened.having([file.file_path for file in files], "_uuid", str(uuid.uuid4()))
        return time.process_time() - began


def _bytes(table: Table) -> int:
    snapshot = table.current_snapshot()
    if snapshot is None or snapshot.summary is None:
        return 0
    return int(snapshot.summary.additional_properties["total-files-size"])


def _p95(seconds: list[float]) -> float:
    return round(sorted(seconds)[math.ceil(len(seconds) * 0.95) - 1], 3)
