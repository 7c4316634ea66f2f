"""What one hour of a derived table is held to: what its contract states, and what it implies."""

from __future__ import annotations

from pipeline.contract.model import Aggregate, Expectation
from pipeline.tables.layout import BUILD_COLUMN, HOUR_COLUMN

COLUMNS = "expect_table_columns_to_match_set"


def audited(aggregate: Aggregate) -> tuple[Expectation, ...]:
    """Return the expectations on the rows of one hour; those on drift, which need another hour, aside.

    The columns are to be those that the contract lists with those that the engine adds, and no other,
    unless it lists none or has an expectation on them itself.
    """
    if not aggregate.columns or any(one.type == COLUMNS for one in aggregate.expectations):
        return aggregate.expectations
    added = (HOUR_COLUMN,) if aggregate.feature is None else (HOUR_COLUMN, BUILD_COLUMN)
    names = [*added, *(column.name for column in aggregate.columns)]
    implied = Expectation(
        type=COLUMNS,
        kwargs={"column_set": names, "exact_match": True},
        description="The columns that the contract lists, and no other.",
    )
    return (implied, *aggregate.expectations)
