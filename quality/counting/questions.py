"""What Great Expectations' metrics ask of rows in Spark, as conditions that are counted. Reads no row."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from great_expectations.core.id_dict import IDDict
from great_expectations.execution_engine.sparkdf_execution_engine import SparkDFExecutionEngine
from great_expectations.validator.metric_configuration import MetricConfiguration
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as sf

from pipeline.batch.sql.row_query import condition_of
from pipeline.contract.audit_expectations import QUERY
from quality.reference_histogram import finite, insides, is_number

Values = Mapping[Any, Any]
"""A metric's id -> its value."""

EXAMPLES, BROKEN, ASKED = ".unexpected_values", ".unexpected_count", ".filtered_row_count"
"""How the names of metrics end that a rule over rows has: rows that break it, how many, of how many."""
ROWS = "table.row_count"
"""How many rows there are."""
QUERY_COUNT, QUERY_ROWS = f"{QUERY}.row_count", f"{QUERY}.table"
"""How many rows a query gives, and which."""
UNIQUE = ("column_values.unique.", "compound_columns.unique.")
"""How the names of metrics begin that ask for rows like others."""
HISTOGRAM, BEYOND = "column.histogram", "column_values.between.count"
"""What drift is told from."""

_RULE, _AGGREGATE = "unexpected_condition", "metric_partial_fn"


@dataclass(frozen=True)
class Question:
    """How many of the rows of `domain` meet each of some conditions; `key` tells it from any other.

    With `alike` the only condition is that another row has the same values of these columns, null like any.
    With `of_range` it is how many rows a query gives, and that counts them in every hour.
    """

    key: object
    domain: IDDict
    conditions: tuple[Column, ...]
    alike: tuple[str, ...] = ()
    of_range: str | None = None


def question_of(
    engine: SparkDFExecutionEngine,
    metric: MetricConfiguration,
    known: Values,
    of_range: Mapping[str, str],
) -> Question | None:
    """Return what is to be counted for a metric; None if it is not told by counting.

    Metrics of one rule have one question. `known` has what the metric depends on, `of_range` the
    queries that are counted of all hours, with what counts them.
    """
    name, domain = metric.metric_name, metric.metric_domain_kwargs
    if name.endswith((EXAMPLES, BROKEN, ASKED)):
        return _of_rule(metric, known)
    if name == ROWS:
        return Question(metric.id, domain, ())
    if name in (QUERY_COUNT, QUERY_ROWS):
        return _of_query(metric, of_range)
    conditions: Sequence[Column] = ()
    if name in (HISTOGRAM, BEYOND) and is_number(
        frame := rows_of(engine, domain), domain["column"]
    ):
        conditions = _bins(frame, metric) if name == HISTOGRAM else _beyond(metric)
    return Question(metric.id, domain, tuple(conditions)) if conditions else None


def rows_of(engine: SparkDFExecutionEngine, domain: IDDict) -> DataFrame:
    """Return the rows that a metric's domain names."""
    rows: DataFrame = engine.get_domain_records(domain)
    return rows


def is_sum(metric: MetricConfiguration) -> bool:
    """Tell whether a count is a sum to the engine: then it is None of no rows, and not 0."""
    return _AGGREGATE in metric.metric_dependencies


def _of_rule(metric: MetricConfiguration, known: Values) -> Question | None:
    known_by = metric.metric_dependencies
    if _AGGREGATE in known_by:
        known_by = known_by[_AGGREGATE].metric_dependencies
    if _RULE not in known_by or known_by[_RULE].id not in known:
        return None
    rule = known_by[_RULE].id
    condition, rows, columns = known[rule]
    # The engine leaves out rows without values by the names of their columns.
    domain = rows if "column" in columns else {**rows, **columns}
    alike: tuple[str, ...] = ()
    if metric.metric_name.startswith(UNIQUE):
        alike = tuple(columns.get("column_list") or (columns["column"],))
    return Question(rule, IDDict(domain), (condition,), alike)


def _of_query(metric: MetricConfiguration, of_range: Mapping[str, str]) -> Question | None:
    text = str(metric.metric_value_kwargs[QUERY])
    key = metric.id._replace(metric_name=QUERY_COUNT)
    if text in of_range:
        return Question(key, metric.metric_domain_kwargs, (), of_range=of_range[text])
    condition = condition_of(text)
    if condition is None:
        return None
    return Question(key, metric.metric_domain_kwargs, (sf.expr(f"({condition}) IS TRUE"),))


def _bins(frame: DataFrame, metric: MetricConfiguration) -> Sequence[Column]:
    edges = tuple(metric.metric_value_kwargs["bins"])
    if len(edges) < 2 or not all(map(math.isfinite, edges)):
        return ()
    if not all(low < high for low, high in pairwise(edges)):
        return ()
    return insides(finite(frame, metric.metric_domain_kwargs["column"]), edges)[1:-1]


def _beyond(metric: MetricConfiguration) -> Sequence[Column]:
    """Return how Great Expectations asks for the values that lie beyond one bound."""
    kwargs, column = metric.metric_value_kwargs, sf.col(metric.metric_domain_kwargs["column"])
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    if low is None and high is not None:
        return (column < sf.lit(high) if kwargs.get("strict_max") else column <= sf.lit(high),)
    if high is None and low is not None:
        return (column > sf.lit(low) if kwargs.get("strict_min") else column >= sf.lit(low),)
    return ()
