"""What one hour of a derived table is held to: what its contract states, and what it implies."""

from __future__ import annotations

from pipeline.contract.model import DerivedTable, Expectation
from pipeline.tables.layout import BUILD_COLUMN, HOUR_COLUMN

COLUMNS = "expect_table_columns_to_match_set"
QUERY = "unexpected_rows_query"
"""The argument of an expectation that has a query."""


def audit_expectations(derived_table: DerivedTable) -> tuple[Expectation, ...]:
    """Return the expectations on the rows of one hour; those on drift, which need another hour, aside.

    The columns are to be those that the contract lists with those that the engine adds, and no other,
    unless it lists none or has an expectation on them itself.
    """
    if not derived_table.columns or any(one.type == COLUMNS for one in derived_table.expectations):
        return derived_table.expectations
    added = (HOUR_COLUMN,) if derived_table.feature is None else (HOUR_COLUMN, BUILD_COLUMN)
    names = [*added, *(column.name for column in derived_table.columns)]
    implied = Expectation(
        type=COLUMNS,
        kwargs={"column_set": names, "exact_match": True},
        description="The columns that the contract lists, and no other.",
    )
    return (implied, *derived_table.expectations)
