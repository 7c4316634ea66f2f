"""The business rules of a product as a pandera schema: judged as ingest judges them."""

from __future__ import annotations

import pandera.polars as pa

from pipeline.contract.model import Product
from pipeline.contract.targets.rules import CompiledRule, compile_rules


def rules_schema(product: Product) -> pa.DataFrameSchema:
    """Return a schema with the rules on each column; nulls break none, types are not judged.

    Made for `validate(frame, lazy=True)`, which reports every broken rule. Columns without rules may
    be there or not; those with rules must.
    """
    by_column: dict[str, list[CompiledRule]] = {}
    for rule in compile_rules(product):
        by_column.setdefault(rule.column, []).append(rule)
    return pa.DataFrameSchema(
        {
            column: pa.Column(checks=[_check(rule) for rule in rules], nullable=True)
            for column, rules in by_column.items()
        },
        name=product.name,
    )


def _check(rule: CompiledRule) -> pa.Check:
    return pa.Check(
        lambda data: data.lazyframe.select(~rule.broken),
        name=rule.name,
        error=rule.name,
        description=rule.description,
    )
