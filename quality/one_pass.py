"""Great Expectations' metrics of rows in Spark, counted together.

By itself its engine asks Spark for examples of what breaks an expectation whether anything does or not, and
for many a count by a query of its own. Here all that is to be counted is counted by one query, and examples
are asked for only where there are any.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from great_expectations.execution_engine.sparkdf_execution_engine import SparkDFExecutionEngine
from great_expectations.validator.metric_configuration import MetricConfiguration
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame
from pyspark.sql import functions as sf

from quality.questions import (
    ASKED,
    BROKEN,
    EXAMPLES,
    HISTOGRAM,
    Question,
    Values,
    is_sum,
    question_of,
    rows_of,
)

_QUERY, _QUERY_ROWS = "unexpected_rows_query.row_count", "unexpected_rows_query.table"


@dataclass(frozen=True)
class _Count:
    """A question's answer: `rows` there are, of which so many meet each condition."""

    rows: int
    meeting: tuple[int, ...]


class OnePass:
    """Resolves metrics in an engine's place. Every value is the engine's own.

    What it cannot count, a rule that does not fit the rows among it, it leaves to the engine, which says why.
    """

    def __init__(self, engine: SparkDFExecutionEngine) -> None:
        """Resolve what `engine` was to."""
        self._engine = engine
        self._resolve = engine.resolve_metrics
        self._questions: dict[object, Question | None] = {}
        self._counts: dict[object, _Count | None] = {}

    def resolve_metrics(
        self,
        metrics_to_resolve: Iterable[MetricConfiguration],
        metrics: Values | None = None,
        runtime_configuration: dict[str, Any] | None = None,
    ) -> dict[Any, Any]:
        """Return values of `metrics_to_resolve`, of at least one; who asks, asks again for the others."""
        known, asked = dict(metrics or {}), tuple(metrics_to_resolve)
        for one in asked:
            if one.id not in self._questions:
                self._questions[one.id] = question_of(self._engine, one, known)
        # What is to be counted waits for all of it: rules come to be known one after the other.
        first = [one for one in asked if not self._waits(one)]
        if first or not asked:
            return dict(self._resolve(first, known, runtime_configuration))
        self._count(filter(None, (self._questions[one.id] for one in asked)))
        found: dict[Any, Any] = {}
        left: list[MetricConfiguration] = []
        for one in asked:
            for answer in self._answers(one, known):
                found[one.id] = answer
            if one.id not in found:
                left.append(one)
        return {**found, **(self._resolve(left, known, runtime_configuration) if left else {})}

    def _waits(self, metric: MetricConfiguration) -> bool:
        return self._questions[metric.id] is not None or metric.metric_name == _QUERY_ROWS

    def _count(self, questions: Iterable[Question]) -> None:
        wanted = {one.key: one for one in questions if one.key not in self._counts}
        domains: dict[Any, list[Question]] = {}
        for one in wanted.values():
            domains.setdefault(one.domain.to_id(), []).append(one)
        groups = list(domains.values())
        try:
            counted = self._counted(groups)
        except (Py4JError, PySparkException):
            # One of them does not fit the rows: the engine asks one by one, and says which.
            self._counts |= dict.fromkeys(wanted)
            return
        for group, (rows, *meeting) in zip(groups, counted, strict=True):
            for one in group:
                mine, meeting = meeting[: len(one.conditions)], meeting[len(one.conditions) :]
                self._counts[one.key] = _Count(rows, tuple(mine))

    def _counted(self, groups: Sequence[Sequence[Question]]) -> list[list[int]]:
        """Return, of each group, which asks of the same rows, their number and how many meet what."""
        if not groups:
            return []
        parts = []
        for place, group in enumerate(groups):
            flags = [flag for one in group for flag in one.conditions]
            named = {f"meets_{n}": flag for n, flag in enumerate(flags)}
            # Selected first: some conditions look at other rows too, which no sum can.
            rows = rows_of(self._engine, group[0].domain).select(
                *(flag.alias(name) for name, flag in named.items())
            )
            counts = sf.array(sf.count(sf.lit(1)), *map(sf.count_if, named))
            parts.append(rows.agg(counts.alias("counts")).select(sf.lit(place), "counts"))
        found = reduce(DataFrame.unionAll, parts).collect()
        return [counts for _, counts in sorted((row[0], row[1]) for row in found)]

    def _answers(self, metric: MetricConfiguration, known: Values) -> Iterator[Any]:
        """Yield the metric's value, if what was counted tells it."""
        name, question = metric.metric_name, self._questions[metric.id]
        if question is None:
            if known.get(metric.id._replace(metric_name=_QUERY)) == 0:
                yield []
            return
        counted = self._counts[question.key]
        if counted is None:
            return
        if name.endswith(EXAMPLES):
            if not counted.meeting[0]:
                yield []
        elif name.endswith(ASKED):
            yield counted.rows
        elif name.endswith(BROKEN):
            yield None if is_sum(metric) and not counted.rows else counted.meeting[0]
        elif name == HISTOGRAM:
            yield list(counted.meeting)
        else:
            yield counted.meeting[0]
