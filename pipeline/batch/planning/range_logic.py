"""How a table's logic computes many hours, and why not at once. A pure function."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.batch.sql.types import Types
from pipeline.contract.model import EVENTS, DerivedTable, Read

RANGE_HOUR = "__hour"
"""The column that SQL of a range has last: the start of each row's hour."""


@dataclass(frozen=True)
class Ranged:
    """A range of hours is computed at once: each hour has the rows that it has alone.

    Attributes:
        sql: the statement that computes a range; None where the contract's logic does so itself.
        most_rows: an hour with more rows of events is computed alone; None: none is.
    """

    sql: str | None = None
    most_rows: int | None = None


@dataclass(frozen=True)
class HourByHour:
    """Hours are computed one by one, and all else is done for a range of them at once.

    Attributes:
        reason: why; no value of any row.
    """

    reason: str


@dataclass(frozen=True)
class Sequential:
    """An hour is built once those before it are published: the table reads its own earlier hours."""

    reason: str = "it reads its own earlier hours"


RangeLogic = Ranged | HourByHour | Sequential


def range_logic(derived_table: DerivedTable, types: Types) -> RangeLogic:
    """Return how hours of a table are computed together. `types` are those of what its SQL reads."""
    logic = derived_table.logic
    if logic.incremental_by == "timeRange":
        return Ranged()
    if derived_table.depends_on_past:
        return Sequential()
    if logic.language == "python":
        return HourByHour("it is Python that computes an hour")
    if derived_table.reads != (Read(table=EVENTS),):
        return HourByHour(f"it reads more than the hour's own {EVENTS}")
    # Takes a while to import: only for who builds, or asks.
    from pipeline.batch.planning.range_sql import range_sql
    from pipeline.batch.sql.known import NotRangedError

    read = {EVENTS, *derived_table.references}
    try:
        found = range_sql(logic.text, {name: types[name] for name in read if name in types})
    except NotRangedError as error:
        return HourByHour(str(error))
    return Ranged(found.text, found.most_rows)
