"""Clocks around the steps of building an hour, put there from outside: time, CPU time, and Spark's jobs."""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar

import psutil
from pyspark.sql import SparkSession

from pipeline.batch import execute_stages as module

P = ParamSpec("P")
R = TypeVar("R")
AUDIT, SHOW, REST = "audit", "show the audit", "the rest"
STEPS = {
    "stage": "compute and stage",
    "publish": "publish",
    "derive_feature_table": "derive the current table",
    "digests": "digest",
    "release": "release tags",
    "record": "record",
}
"""Function of `pipeline.batch.execute_stages` -> the step that it is."""
LOOK = "look at the staging"
"""Until an audit was given the staging itself to look at: results of before have it."""
FIRST, *THEN = STEPS.values()
ORDER = (FIRST, LOOK, AUDIT, *THEN, SHOW)


class Steps:
    """While entered, counts what the steps of hours take, one after the other on one thread."""

    def __init__(self, spark: SparkSession) -> None:
        self._scheduler = spark.sparkContext._jsc.sc().dagScheduler()
        # Looked for once: Spark's is there, and to look takes milliseconds.
        self._processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
        self._cpu: dict[int, float] = {}
        self._taken: dict[str, dict[str, float]] = {}
        self._began, self._cpu_began = time.perf_counter(), self._cpu_s()
        self._undo: dict[str, Any] = {}

    def __enter__(self) -> Self:
        for name, step in STEPS.items():
            self._undo[name] = getattr(module, name)
            setattr(module, name, self.timed(step, self._undo[name]))
        self._began, self._cpu_began = time.perf_counter(), self._cpu_s()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        for name, original in self._undo.items():
            setattr(module, name, original)

    def timed(self, step: str, function: Callable[P, R]) -> Callable[P, R]:
        """Return `function` with a clock around it."""

        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            began, cpu = time.perf_counter(), self._cpu_s()
            jobs = self._scheduler.numTotalJobs()
            try:
                return function(*args, **kwargs)
            finally:
                line = self._taken.setdefault(step, {"seconds": 0.0, "cpu_s": 0.0, "jobs": 0})
                line["seconds"] += time.perf_counter() - began
                line["cpu_s"] += self._cpu_s() - cpu
                line["jobs"] += self._scheduler.numTotalJobs() - jobs

        return call

    def taken(self) -> dict[str, dict[str, float]]:
        """Return what the steps took since this was last asked; `the rest` is what no step counts."""
        now, cpu = time.perf_counter(), self._cpu_s()
        lines = self._taken.values()
        rest = {
            "seconds": now - self._began - sum(line["seconds"] for line in lines),
            "cpu_s": cpu - self._cpu_began - sum(line["cpu_s"] for line in lines),
            "jobs": 0,
        }
        found = {step: self._taken[step] for step in ORDER if step in self._taken}
        self._taken, self._began, self._cpu_began = {}, now, cpu
        return {**found, REST: rest}

    def _cpu_s(self) -> float:
        for one in self._processes:
            # One that has ended meanwhile has taken what it had.
            with contextlib.suppress(psutil.NoSuchProcess):
                times = one.cpu_times()
                self._cpu[one.pid] = times.user + times.system
        return sum(self._cpu.values())
