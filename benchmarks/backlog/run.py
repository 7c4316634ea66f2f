"""One measurement: fill a topic, then let an ingest work it off while its memory is watched."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from benchmarks import filling
from benchmarks.backlog.files import files_document, skipping_document
from benchmarks.backlog.memory import peak_mb, resident_mb
from benchmarks.engine import Commit, Engine, limits_of
from benchmarks.exactly_once import Held, held
from pipeline.cells import Cell
from pipeline.clock import utc_now
from pipeline.contract.model import Product
from pipeline.ingest.limits import DEFAULT_LIMITS

SAMPLE_S = 0.1
HOURS = 6.0
WARM_UP = 10_000


@dataclass(frozen=True)
class Order:
    """What to measure. `memory_mb` is the setting; None is the engine's own."""

    events: int = 20_000_000
    value_bytes: int = 100
    memory_mb: int | None = None


@dataclass(frozen=True)
class Sample:
    """The ingest's resident size, and the rows committed by then, `at_s` after it began."""

    at_s: float
    rss_mb: float
    rows: int


@dataclass(frozen=True)
class Measured:
    """What was measured.

    Attributes:
        setting_mb: the bound that held; None: the engine knows none.
        idle_mb: the process before it began.
        seconds: from the word to begin to the end of the last commit.
    """

    filled: filling.Filled
    setting_mb: int | None
    idle_mb: float
    peak_mb: float
    seconds: float
    first_commit_s: float | None
    cpu_s: float
    commits: int
    samples: list[Sample]
    held: Held
    files: dict[str, Any]
    skipping: dict[str, Any]


def warm_up(cell: Cell, product: Product) -> None:
    """Ingest a few records of another `plain_product`, in a process of its own: compiled code is kept.

    Raises:
        EngineFailedError: the ingest ended by an error.
        RuntimeError: the topic could not be filled.
    """
    filling.fill(cell, product, filling.Order(WARM_UP))
    engine = Engine(cell, product, DEFAULT_LIMITS, once=True)
    try:
        engine.go()
        while engine.listen(1):
            pass
    finally:
        engine.kill()


def measure(cell: Cell, product: Product, order: Order, say: Callable[[str], None]) -> Measured:
    """Fill the topic of a `plain_product`, ingest it once, and look at what came of it.

    Raises:
        EngineFailedError: the ingest ended by an error.
        RuntimeError: the topic could not be filled.
    """
    # A whole minute before now, so that event times lie in known minutes.
    until = utc_now().replace(second=0, microsecond=0) - timedelta(minutes=1)
    fill = filling.Order(
        order.events,
        value_bytes=order.value_bytes,
        until=int(until.timestamp() * 1_000_000),
        hours=HOURS,
    )
    filled = filling.fill(cell, product, fill, say)
    say(f"filled in {filled.seconds:.0f} s, {filled.events / filled.seconds:,.0f} events/s")
    limits, setting = limits_of(order.memory_mb)
    engine = Engine(cell, product, limits, once=True)
    try:
        idle = resident_mb(engine.watched)
        began = time.time()
        engine.go()
        samples, peak, cpu_s = _watch(engine, began, say)
    finally:
        engine.kill()
    commits: list[Commit] = engine.commits
    middle = until - timedelta(hours=HOURS / 2)
    return Measured(
        filled=filled,
        setting_mb=setting,
        idle_mb=idle,
        peak_mb=max(peak, *(sample.rss_mb for sample in samples)),
        seconds=(commits[-1].at if commits else time.time()) - began,
        first_commit_s=commits[0].at - began if commits else None,
        cpu_s=cpu_s,
        commits=len(commits),
        samples=samples,
        held=held(cell, product, order.events),
        files=files_document(cell, product),
        skipping=skipping_document(cell, product, middle),
    )


def _watch(
    engine: Engine, began: float, say: Callable[[str], None]
) -> tuple[list[Sample], float, float]:
    """Sample until the ingest has ended; return samples, the kernel's peak and CPU seconds."""
    samples: list[Sample] = []
    peak, cpu_s, told, rows, counted = 0.0, 0.0, time.monotonic(), 0, 0
    while engine.listen():
        rows += sum(commit.rows for commit in engine.commits[counted:])
        counted = len(engine.commits)
        if rss := resident_mb(engine.watched):
            samples.append(Sample(time.time() - began, rss, rows))
            peak = max(peak, peak_mb(engine.watched) or 0.0)
            cpu_s = max(cpu_s, engine.cpu_s)
        if time.monotonic() - told >= 5:
            told = time.monotonic()
            say(f"{rows:,} rows, {counted} commits, {rss:,.0f} MB")
        time.sleep(SAMPLE_S)
    return samples, peak, cpu_s
