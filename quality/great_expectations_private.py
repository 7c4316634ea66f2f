"""What Great Expectations keeps to itself and Headwater uses: all of it, each part with why.

Another version may change it without a word: tests/unit/quality/test_private_great_expectations.py tells
what has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from great_expectations.core import ExpectationValidationResult
from great_expectations.execution_engine.execution_engine import ExecutionEngine
from great_expectations.expectations.expectation import Expectation

Judge = Callable[[Mapping[Any, Any]], ExpectationValidationResult]
"""Says, of the values of metrics by their ids, whether an expectation is met; KeyError where one lacks."""


def judge_of(
    expectation: Expectation, engine: ExecutionEngine[Any], result_format: object
) -> Judge:
    """Return what judges by `expectation` as its `metrics_validate` does.

    What is public works out anew, at each call, which metrics the expectation needs: forty times what
    the verdict takes, and the same for every hour.
    """
    needed = expectation.get_validation_dependencies(
        execution_engine=engine, runtime_configuration={"result_format": result_format}
    )
    ids = {name: metric.id for name, metric in needed.metric_configurations.items()}

    def judge(metrics: Mapping[Any, Any]) -> ExpectationValidationResult:
        named = {name: metrics[id_] for name, id_ in ids.items()}
        return verdict(expectation, engine, named, needed.result_format)

    return judge


def verdict(
    expectation: Expectation,
    engine: ExecutionEngine[Any],
    metrics: Mapping[str, Any],
    result_format: object,
) -> ExpectationValidationResult:
    """Return what `expectation` says of metrics by the names that it has for them."""
    found = expectation._validate(
        metrics=dict(metrics),
        runtime_configuration={"result_format": result_format},
        execution_engine=engine,
    )
    result: ExpectationValidationResult = expectation._build_evr(raw_response=found)
    return result


def evaluation_order(columns: Mapping[int, object]) -> list[int]:
    """Return the places of expectations in a suite in the order in which its results come.

    `columns` has each one's `column`, if it has one. What is about one column comes together. Of those
    that cannot be evaluated this does not hold.
    """
    first: dict[str | None, int] = {}
    for place in sorted(columns):
        first.setdefault(_column(columns[place]), place)
    return sorted(columns, key=lambda place: (first[_column(columns[place])], place))


def _column(stated: object) -> str | None:
    return stated if isinstance(stated, str) else None
