"""The audit of an aggregate as a Great Expectations suite."""

from __future__ import annotations

from great_expectations import ExpectationSuite
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

from pipeline.contract.model import Aggregate


def suite(aggregate: Aggregate) -> ExpectationSuite:
    """Return the suite that audits one staged hour of `aggregate`, whose column `hour` is there too.

    Importing this module imports Great Expectations, which takes seconds.
    """
    return ExpectationSuite(
        name=aggregate.name,
        expectations=[
            ExpectationConfiguration(
                type=expectation.type,
                kwargs=dict(expectation.kwargs),
                description=expectation.description or None,
            ).to_domain_obj()
            for expectation in aggregate.expectations
        ],
    )
