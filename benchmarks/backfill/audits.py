"""A table's expectations as SQL, so that peers check what Headwater checks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipeline.contract.model import Expectation


def audit_statements(expectations: Iterable[Expectation]) -> Iterator[str]:
    """Yield for each expectation the statement that finds the rows of `{table}` which break it.

    That an hour has rows at all is left out: where a range is built, none is without.

    Raises:
        ValueError: there is no statement for an expectation of that type.
    """
    for expectation in expectations:
        kwargs = expectation.kwargs
        match expectation.type:
            case "expect_column_values_to_not_be_null":
                yield _rows(f"{kwargs['column']} IS NULL")
            case "expect_column_values_to_be_in_set":
                values = ", ".join(f"'{value}'" for value in kwargs["value_set"])
                yield _rows(f"{kwargs['column']} NOT IN ({values})")
            case "expect_column_values_to_be_between":
                bounds = (("<", kwargs.get("min_value")), (">", kwargs.get("max_value")))
                broken = (
                    f"{kwargs['column']} {sign} {bound}"
                    for sign, bound in bounds
                    if bound is not None
                )
                yield _rows(" OR ".join(broken))
            case "expect_compound_columns_to_be_unique":
                columns = ", ".join(kwargs["column_list"])
                grouped = f"GROUP BY {columns} HAVING count(*) > 1"
                yield f"SELECT {columns} FROM {{table}} {grouped}"  # noqa: S608
            case "expect_table_row_count_to_be_between":
                continue
            case other:
                raise ValueError(f"no statement for {other}")


def _rows(broken: str) -> str:
    return f"SELECT * FROM {{table}} WHERE {broken}"  # noqa: S608 - the contract's own
