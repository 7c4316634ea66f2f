"""Completeness of lineage, as an indicator. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pipeline.errors import TerminalError


class LineageIncompleteError(TerminalError):
    """Rows of events came around the engine: nothing computed from them may be published."""


@dataclass(frozen=True)
class Completeness:
    """Of one table's rows, those with full lineage.

    Attributes:
        table: its name within the product.
        rows: those that were looked at.
        lacking: of these, those that no commit of Headwater's accounts for.
        hours: of a table of hours, those that have some, with how many.
    """

    table: str
    rows: int
    lacking: int
    hours: Mapping[datetime, int] | None = None

    @property
    def ratio(self) -> float:
        """The share of rows with full lineage, 1 where there are no rows."""
        return 1.0 if not self.rows else (self.rows - self.lacking) / self.rows

    @property
    def is_full(self) -> bool:
        """Whether every row has full lineage. The ratio of a large table may round to 1 all the same."""
        return self.lacking == 0


def completeness_of_hours(
    table: str, rows: Mapping[datetime, int], accounted: Mapping[datetime, int]
) -> Completeness:
    """Return the completeness of a table's `rows` by hour, of which so many are `accounted` for.

    An hour that has fewer rows than are accounted for lacks none: those that it has are told of.
    """
    lacking = {
        hour: count - accounted.get(hour, 0)
        for hour, count in sorted(rows.items())
        if count > accounted.get(hour, 0)
    }
    return Completeness(table, sum(rows.values()), sum(lacking.values()), lacking)
