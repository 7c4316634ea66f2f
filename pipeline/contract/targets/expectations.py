"""The audit of a derived table as a Great Expectations suite."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from great_expectations import ExpectationSuite
from great_expectations.expectations.expectation import Expectation
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

from pipeline.contract.audit_expectations import COLUMNS, audit_expectations
from pipeline.contract.model import DerivedTable, Drift
from pipeline.contract.model import Expectation as Stated

DRIFT = "expect_column_kl_divergence_to_be_less_than"


def suite(
    derived_table: DerivedTable, further: Iterable[Expectation] = (), inside: Sequence[str] = ()
) -> ExpectationSuite:
    """Return the suite that audits one staged hour of `derived_table`, whose column `hour` is there too.

    What it holds an hour to from another hour, `drift` gives: it comes in as `further`.
    `inside` are the fields inside the hour's records, which Great Expectations takes for columns.

    Importing this module imports Great Expectations, which takes seconds.
    """
    return ExpectationSuite(
        name=derived_table.name,
        expectations=[
            ExpectationConfiguration(
                type=expectation.type,
                kwargs=_kwargs(expectation, inside),
                description=expectation.description or None,
            ).to_domain_obj()
            for expectation in audit_expectations(derived_table)
        ]
        + list(further),
    )


def _kwargs(expectation: Stated, inside: Sequence[str]) -> dict[str, Any]:
    kwargs = dict(expectation.kwargs)
    stated = kwargs.get("column_set")
    if expectation.type == COLUMNS and isinstance(stated, list | tuple | set):
        roots = {name.split(".", maxsplit=1)[0] for name in stated}
        fields = [name for name in inside if name.split(".", maxsplit=1)[0] in roots]
        kwargs["column_set"] = list(dict.fromkeys([*stated, *fields]))
    return kwargs


def drift(limit: Drift, partition: Mapping[str, Any], unseen: float = 0.0) -> Expectation:
    """Return the expectation that holds a column's distribution to that of an earlier hour.

    `partition` is what was found there, as Great Expectations' partition object. `unseen` is the share
    that values which it does not name are expected to have together.
    """
    return ExpectationConfiguration(
        type=DRIFT,
        kwargs={
            "column": limit.column,
            "threshold": limit.most,
            "partition_object": dict(partition),
            "tail_weight_holdout": unseen,
        },
        description="Distributed about as in the hour published last before.",
    ).to_domain_obj()
