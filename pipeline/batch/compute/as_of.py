"""Joining what held at a row's own time."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as sf

AT, FROM, UNTIL = "__at", "__from", "__until"


def join_as_of(
    rows: DataFrame,
    history: DataFrame,
    on: Sequence[str],
    at: Column,
    columns: Sequence[str],
    valid_from: str = "valid_from",
) -> DataFrame:
    """Return `rows` with `columns` of `history`, as they held at `at`, a timestamp of each row.

    Of the rows of `history` whose values of `on` equal a row's, the one with the latest `valid_from`
    not after `at` counts; a null `valid_from` is before all others. Rows without one get nulls. No
    row is added or lost, as long as no two rows of `history` have equal `on` and `valid_from`, which
    is not checked. `history` is broadcast: it has to fit into memory.
    """
    periods = Window.partitionBy(*on).orderBy(sf.col(valid_from).asc_nulls_first())
    bounded = history.select(
        *on,
        *columns,
        sf.col(valid_from).alias(FROM),
        sf.lead(valid_from).over(periods).alias(UNTIL),
    )
    moments = rows.withColumn(AT, at)
    joined = moments.alias("row").join(
        sf.broadcast(bounded).alias("held"),
        on=_all(
            *(sf.col(f"row.{name}") == sf.col(f"held.{name}") for name in on),
            sf.col(FROM).isNull() | (sf.col(FROM) <= sf.col(AT)),
            sf.col(UNTIL).isNull() | (sf.col(UNTIL) > sf.col(AT)),
        ),
        how="left",
    )
    return joined.select("row.*", *(sf.col(f"held.{name}") for name in columns)).drop(AT)


def _all(first: Column, *rest: Column) -> Column:
    for condition in rest:
        first = first & condition
    return first
