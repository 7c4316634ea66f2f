"""Working off what a topic holds, in a process of its own whose memory is watched."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.backlog.memory import peak_mb, resident_mb
from benchmarks.engine import Commit, Engine, limits_of
from pipeline.cells import Cell
from pipeline.contract.model import Product

SAMPLE_S = 0.1


@dataclass(frozen=True)
class Sample:
    """The ingest's resident size, and the rows committed by then, `at_s` after it began."""

    at_s: float
    rss_mb: float
    rows: int


@dataclass(frozen=True)
class Drained:
    """How a backlog was worked off.

    Attributes:
        setting_mb: the bound that held; None: the engine knows none.
        idle_mb: the process before it began.
        seconds: from the word to begin to the end of the last commit.
    """

    setting_mb: int | None
    idle_mb: float
    peak_mb: float
    seconds: float
    first_commit_s: float | None
    cpu_s: float
    commits: int
    samples: list[Sample]


def drain(
    cell: Cell, product: Product, memory_mb: int | None, say: Callable[[str], None]
) -> Drained:
    """Ingest what a topic holds in a process of its own, under a bound on memory or the engine's own.

    Raises:
        EngineFailedError: the ingest ended by an error.
    """
    limits, setting = limits_of(memory_mb)
    engine = Engine(cell, product, limits, once=True)
    try:
        idle = resident_mb(engine.watched)
        began = time.time()
        engine.go()
        samples, peak, cpu_s = _watch(engine, began, say)
    finally:
        engine.kill()
    commits: list[Commit] = engine.commits
    return Drained(
        setting_mb=setting,
        idle_mb=idle,
        peak_mb=max(peak, *(sample.rss_mb for sample in samples)),
        seconds=(commits[-1].at if commits else time.time()) - began,
        first_commit_s=commits[0].at - began if commits else None,
        cpu_s=cpu_s,
        commits=len(commits),
        samples=samples,
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
