"""Clocks around the steps of building an hour, put there from outside: wall time, and Spark's jobs."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar

from pyspark.sql import SparkSession

from pipeline.batch import execute_stages as module

P = ParamSpec("P")
R = TypeVar("R")
AUDIT, SHOW, REST = "audit", "show the audit", "the rest"
STEPS = {
    "stage_hour": "compute and stage",
    "audited_frame": "look at the staging",
    "publish": "publish",
    "derive_feature_table": "derive the current table",
    "digests": "digest",
    "release": "release tags",
    "record": "record",
}
"""Function of `pipeline.batch.execute_stages` -> the step that it is."""
ORDER = (*list(STEPS.values())[:2], AUDIT, *list(STEPS.values())[2:], SHOW)


class Steps:
    """While entered, counts what the steps of hours take, one after the other on one thread."""

    def __init__(self, spark: SparkSession) -> None:
        self._scheduler = spark.sparkContext._jsc.sc().dagScheduler()
        self._taken: dict[str, dict[str, float]] = {}
        self._began = time.perf_counter()
        self._undo: dict[str, Any] = {}

    def __enter__(self) -> Self:
        for name, step in STEPS.items():
            self._undo[name] = getattr(module, name)
            setattr(module, name, self.timed(step, self._undo[name]))
        self._began = time.perf_counter()
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
            began, jobs = time.perf_counter(), self._scheduler.numTotalJobs()
            try:
                return function(*args, **kwargs)
            finally:
                line = self._taken.setdefault(step, {"seconds": 0.0, "jobs": 0})
                line["seconds"] += time.perf_counter() - began
                line["jobs"] += self._scheduler.numTotalJobs() - jobs

        return call

    def taken(self) -> dict[str, dict[str, float]]:
        """Return what the steps took since this was last asked; `the rest` is what no step counts."""
        now = time.perf_counter()
        rest = now - self._began - sum(line["seconds"] for line in self._taken.values())
        found = {step: self._taken[step] for step in ORDER if step in self._taken}
        self._taken, self._began = {}, now
        return {**found, REST: {"seconds": rest, "jobs": 0}}
