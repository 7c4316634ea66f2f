"""Great Expectations' metrics of rows in Spark, counted together.

By itself its engine asks Spark for examples of what breaks an expectation whether anything does or not, and
for many a count by a query of its own. Here all that is to be counted is counted by one query, and examples
are asked for only where there are any.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from types import MappingProxyType
from typing import Any

from great_expectations.execution_engine.sparkdf_execution_engine import SparkDFExecutionEngine
from great_expectations.validator.metric_configuration import MetricConfiguration
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame
from pyspark.sql import functions as sf

from pipeline.batch.sql.range_query import BATCH
from pipeline.batch.sql.range_query import ROWS as RANGE_ROWS
from quality.counting.hours import hour_at, seconds
from quality.counting.questions import (
    ASKED,
    BROKEN,
    EXAMPLES,
    HISTOGRAM,
    QUERY_COUNT,
    QUERY_ROWS,
    ROWS,
    Question,
    Values,
    is_sum,
    question_of,
    rows_of,
)

_ALL_ROWS = {"batch_id", "table"}
"""What a domain is told by that leaves out no row."""
Part = datetime | None
"""An hour of the rows, or None for all of them."""


@dataclass(frozen=True)
class _Count:
    """A question's answer: `rows` there are, of which so many meet each condition."""

    rows: int
    meeting: tuple[int, ...]


class OnePass:
    """Resolves metrics in an engine's place. Every value is the engine's own.

    What it cannot count, a rule that does not fit the rows among it, it leaves to the engine, which says why.
    """

    def __init__(
        self,
        engine: SparkDFExecutionEngine,
        hours: Mapping[datetime, int] = MappingProxyType({}),
        of_range: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Resolve what `engine` was to; what is counted is known of each of `hours`, too.

        `hours` have as many rows each as it says, and there are no others. `of_range` are queries of which
        rows are counted by hour, with what counts them.
        """
        self._of_range = of_range
        self._engine = engine
        self._resolve = engine.resolve_metrics
        self._hours = hours
        self._asked: dict[object, MetricConfiguration] = {}
        self._questions: dict[object, Question | None] = {}
        self._counts: dict[object, Mapping[Part, _Count] | None] = {}
        self._known: dict[Any, Any] = {}

    def resolve_metrics(
        self,
        metrics_to_resolve: Iterable[MetricConfiguration],
        metrics: Values | None = None,
        runtime_configuration: dict[str, Any] | None = None,
    ) -> dict[Any, Any]:
        """Return values of `metrics_to_resolve`, of at least one; who asks, asks again for the others."""
        known, asked = dict(metrics or {}), tuple(metrics_to_resolve)
        found = self._found(asked, known, runtime_configuration)
        self._known |= {**known, **found}
        return found

    def of_hour(self, hour: datetime) -> dict[Any, Any]:
        """Return all values that were resolved, as they are of one of the hours alone.

        Those that counting does not tell are left out, unless no row was read for them.
        """
        found = {
            one: value for one, value in self._known.items() if self._questions.get(one) is None
        }
        for one, metric in self._asked.items():
            for answer in self._answers(metric, hour):
                found[one] = answer
        return found

    def _found(
        self,
        asked: Sequence[MetricConfiguration],
        known: dict[Any, Any],
        runtime_configuration: dict[str, Any] | None,
    ) -> dict[Any, Any]:
        for one in asked:
            if one.id not in self._questions:
                self._asked[one.id] = one
                self._questions[one.id] = question_of(self._engine, one, known, self._of_range)
                self._tell_rows(one)
        told = {
            one.id: rows
            for one in asked
            if one.metric_name == ROWS
            for rows in self._answers(one, None)
        }
        # What is to be counted waits for all of it: rules come to be known one after the other.
        first = [one for one in asked if not self._waits(one)]
        if first or told or not asked:
            more = self._resolve(first, known, runtime_configuration) if first or not asked else {}
            return {**told, **more}
        self._count(filter(None, (self._questions[one.id] for one in asked)))
        found: dict[Any, Any] = {}
        left: list[MetricConfiguration] = []
        for one in asked:
            if self._questions[one.id] is None and self._is_met_query(one, known):
                found[one.id] = []
            for answer in self._answers(one, None):
                found[one.id] = answer
            if one.id not in found:
                left.append(one)
        return {**found, **(self._resolve(left, known, runtime_configuration) if left else {})}

    def _tell_rows(self, metric: MetricConfiguration) -> None:
        """Answer how many rows there are, where that is known: all wait for it, and one by one is a query."""
        question, domain = self._questions[metric.id], metric.metric_domain_kwargs
        if metric.metric_name == ROWS and question and self._hours and not set(domain) - _ALL_ROWS:
            parts: dict[Part, _Count] = {hour: _Count(n, ()) for hour, n in self._hours.items()}
            parts[None] = _Count(sum(self._hours.values()), ())
            self._counts[question.key] = parts

    def _waits(self, metric: MetricConfiguration) -> bool:
        return self._questions[metric.id] is not None or metric.metric_name == QUERY_ROWS

    def _count(self, questions: Iterable[Question]) -> None:
        wanted = {one.key: one for one in questions if one.key not in self._counts}
        domains: dict[Any, list[Question]] = {}
        for one in wanted.values():
            if one.of_range is not None:
                self._counts[one.key] = self._of_query(one, one.of_range)
                continue
            domains.setdefault((one.domain.to_id(), one.alike), []).append(one)
        groups = list(domains.values())
        try:
            counted = self._counted(groups)
        except (Py4JError, PySparkException):
            # One of them does not fit the rows: the engine asks one by one, and says which.
            self._counts |= dict.fromkeys(one.key for group in groups for one in group)
            return
        for group, parts in zip(groups, counted, strict=True):
            place = 1
            for one in group:
                after = place + len(one.conditions)
                self._counts[one.key] = {
                    part: _Count(counts[0], tuple(counts[place:after]))
                    for part, counts in parts.items()
                }
                place = after

    def _counted(self, groups: Sequence[Sequence[Question]]) -> list[dict[Part, Sequence[int]]]:
        """Return, of each group, which asks of the same rows, their number and how many meet what.

        Of all rows, and of those of each hour.
        """
        if not groups:
            return []
        parts = [
            self._rows_and_meeting(group).select(sf.lit(place), "at", "counts")
            for place, group in enumerate(groups)
        ]
        found: list[dict[Part, Sequence[int]]] = []
        for group in groups:
            none = [0] * (1 + sum(len(one.conditions) for one in group))
            found.append(dict.fromkeys((None, *self._hours), none))
        for place, at, counts in reduce(DataFrame.unionAll, parts).collect():
            of_all = zip(found[place][None], counts, strict=True)
            found[place][None] = [sum(pair) for pair in of_all]
            if at is not None:
                found[place][hour_at(at)] = counts
        return found

    def _of_query(self, question: Question, text: str) -> Mapping[Part, _Count] | None:
        """Return how many rows a query gives of each hour; None where that cannot be counted."""
        rows_of(self._engine, question.domain).createOrReplaceTempView(BATCH)
        try:
            found = self._engine.spark.sql(text).select(seconds(), RANGE_ROWS).collect()
        except (Py4JError, PySparkException):
            # Each hour is asked by itself then, and says so if it is its own fault.
            return None
        by_hour = {hour_at(at): rows for at, rows in found}
        parts: dict[Part, int] = {hour: by_hour.get(hour, 0) for hour in self._hours}
        parts[None] = sum(parts.values())
        return {part: _Count(rows, (rows,)) for part, rows in parts.items()}

    def _rows_and_meeting(self, group: Sequence[Question]) -> DataFrame:
        """Return, by hour in `at`, how many rows there are, and how many meet each condition of `group`."""
        first = group[0]
        rows = rows_of(self._engine, first.domain)
        at = seconds() if self._hours else sf.lit(None).cast("long")
        if first.alike:
            # Grouped, and not by the window of the condition, which sorts all rows.
            values = rows.groupBy(at.alias("at"), sf.struct(*first.alike)).agg(
                sf.count("*").alias("rows")
            )
            shared = sf.sum(sf.when(sf.col("rows") > 1, sf.col("rows")).otherwise(0))
            return values.groupBy("at").agg(
                sf.array(sf.sum("rows"), *(shared for _ in group)).alias("counts")
            )
        flags = [flag for one in group for flag in one.conditions]
        named = {f"meets_{n}": flag for n, flag in enumerate(flags)}
        # Selected first: some conditions look at other rows too, which no sum can.
        met = rows.select(at.alias("at"), *(flag.alias(name) for name, flag in named.items()))
        counts = sf.array(sf.count("*"), *map(sf.count_if, named))
        return met.groupBy("at").agg(counts.alias("counts"))

    def _is_met_query(self, metric: MetricConfiguration, known: Values) -> bool:
        return known.get(metric.id._replace(metric_name=QUERY_COUNT)) == 0

    def _answers(self, metric: MetricConfiguration, part: Part) -> Iterator[Any]:
        """Yield the metric's value of the rows of `part`, if what was counted tells it."""
        name, question = metric.metric_name, self._questions[metric.id]
        counts = None if question is None else self._counts.get(question.key)
        if counts is None:
            return
        counted = counts[part]
        if name == ROWS:
            yield counted.rows
        elif name.endswith((EXAMPLES, QUERY_ROWS)):
            # Which rows a query gives is asked of hours alone.
            if not counted.meeting[0] or (question is not None and question.of_range):
                yield []
        elif name.endswith(ASKED):
            yield counted.rows
        elif name.endswith(BROKEN):
            yield None if is_sum(metric) and not counted.rows else counted.meeting[0]
        elif name == HISTOGRAM:
            yield list(counted.meeting)
        else:
            yield counted.meeting[0]
