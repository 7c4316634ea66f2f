"""Measure what OpenLineage costs an ingest: its processor time with and without, and that of one event.

`python -m benchmarks.lineage_overhead` prints JSON. Runs of the same records take turns, in another order
each round: with lineage off, to files, and to a collector over HTTP that answers, or does not. Starts a
broker of its own. An ingest tells of its start and its end, and every five minutes in between.
"""

from __future__ import annotations

import json
import multiprocessing
import statistics
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from unittest.mock import patch

from openlineage.client.event_v2 import RunState

from benchmarks import filling
from benchmarks.broker import own_cell
from headwater.stack.ports import free_port
from pipeline.cells import Cell, embedded_cell
from pipeline.clock import utc_now
from pipeline.contract.model import Product
from pipeline.contract.targets.iceberg import events_schema
from pipeline.ingest.limits import Limits
from pipeline.ingest.lineage.events import SoFar, ingest_event
from pipeline.ingest.report import IngestReport
from pipeline.ingest.run import ingest
from pipeline.lineage.emitter import Emitter
from pipeline.lineage.queue.background import settle
from pipeline.lineage.told import RUNNING_EVERY
from pipeline.schemas.open import open_registry
from pipeline.schemas.registration import register_product

EVENTS, ROUNDS, SINGLE = 300_000, 9, 200
LIMITS = Limits(max_records=30_000)
"""So that a run has many commits, of which none is told of."""


def main() -> int:
    """Measure, print, and return the exit code."""
    with own_cell(lambda _: None) as (root, cell), ExitStack() as stack:
        product = filling.plain_product(root / "contracts", partitions=4)
        filling.fill(cell, product, filling.Order(EVENTS, until=int(time.time() * 1e6), hours=1.0))
        url = _collector(stack)
        modes: dict[str, dict[str, Any] | None] = {
            "off": None,
            "file": {},
            "http": {"transport": "http", "url": url},
            "http, away": {"transport": "http", "url": f"http://127.0.0.1:{free_port()}"},
        }
        runs: dict[str, list[float]] = {mode: [] for mode in modes}
        order = deque(modes.items())
        for number in range(ROUNDS + 1):
            for mode, settings in order:
                fresh = _fresh(root / f"{number}-{mode}", cell, settings or {})
                seconds = _ingest(fresh, product, tells=settings is not None)
                # The first pays for imports, compiled code and fresh memory.
                if number:
                    runs[mode].append(seconds)
            order.rotate(1)
        once = {
            mode: _event(_fresh(root / mode, cell, settings), product)
            for mode, settings in modes.items()
            if settings is not None
        }
    off, an_hour = statistics.median(runs["off"]), timedelta(hours=1) / RUNNING_EVERY
    document = {
        "events": EVENTS,
        "rounds": ROUNDS,
        "processor_seconds": {
            mode: round(statistics.median(all_), 3) for mode, all_ in runs.items()
        },
        "to_off": {mode: round(_ratio(all_, runs["off"]), 4) for mode, all_ in runs.items()},
        "told_once_ms": {mode: round(1_000 * seconds, 2) for mode, seconds in once.items()},
        "percent_of_this_ingest": {
            mode: round(100 * 2 * seconds / off, 3) for mode, seconds in once.items()
        },
        "percent_of_an_hour": {
            mode: round(100 * an_hour * seconds / 3_600, 5) for mode, seconds in once.items()
        },
    }
    sys.stdout.write(json.dumps(document, indent=1) + "\n")
    return 0


def _ratio(runs: Sequence[float], off: Sequence[float]) -> float:
    """Return the median of what a run took beside the one without lineage of the same round."""
    return statistics.median(one / other for one, other in zip(runs, off, strict=True))


def _fresh(root: Path, cell: Cell, settings: dict[str, Any]) -> Cell:
    fresh = embedded_cell(root, "us", cell.bootstrap_servers)
    fresh.root.mkdir(parents=True)
    return replace(fresh, openlineage=settings)


def _ingest(cell: Cell, product: Product, *, tells: bool) -> float:
    """Return the processor time of an ingest of all records, and of what is sent beside it."""
    # The same order of registration gives the same ids as the records carry.
    register_product(open_registry(cell), product)
    with ExitStack() as stack:
        if not tells:
            nothing: Callable[..., None] = lambda *_: None  # noqa: E731
            stack.enter_context(patch("pipeline.ingest.run.IngestLineage.started", nothing))
            stack.enter_context(patch("pipeline.ingest.run.IngestLineage.committed", nothing))
            stack.enter_context(
                patch("pipeline.ingest.run.IngestLineage.ended", lambda *_, **__: None)
            )
        began = time.process_time()
        report = ingest(cell, product, once=True, limits=LIMITS)
        settle(5)
        taken = time.process_time() - began
    if report.rows != EVENTS:
        raise SystemExit(f"{report.rows:,} rows of {EVENTS:,} events")
    return taken


def _event(cell: Cell, product: Product) -> float:
    """Return the processor time of telling once of an ingest that goes on."""
    so_far = SoFar("id", IngestReport(commits=1, rows=5, offsets=5), schema=events_schema(product))
    began = time.process_time()
    for _ in range(SINGLE):
        event = ingest_event(RunState.RUNNING, cell, product, "run", utc_now(), so_far)
        Emitter(cell, "run").emit(event)
    settle(20)
    return (time.process_time() - began) / SINGLE


def _collector(stack: ExitStack) -> str:
    """Start a collector in a process of its own, and return where it answers."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(there,))
    process.start()
    stack.callback(process.join)
    stack.callback(process.terminate)
    return f"http://127.0.0.1:{here.recv()}"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(201)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def _serve(port: Connection) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    port.send(server.server_port)
    server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
