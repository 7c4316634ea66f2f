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
        found = expectation._validate(
            metrics={name: metrics[id_] for name, id_ in ids.items()},
            runtime_configuration={"result_format": needed.result_format},
            execution_engine=engine,
        )
        result: ExpectationValidationResult = expectation._build_evr(raw_response=found)
        return result

    return judge
