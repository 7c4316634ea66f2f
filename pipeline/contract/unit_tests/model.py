"""A unit test of a derived table, as its YAML says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.clock import HOUR
from pipeline.contract.source.document import Document, Loc
from pipeline.contract.source.mistakes import Mistake


@dataclass(frozen=True)
class Row:
    """A row as YAML has it: what is left out is not among its values.

    Attributes:
        values: by the column's name in small letters.
        keys: that name -> as it was written.
        loc: its place.
    """

    values: Mapping[str, Any]
    keys: Mapping[str, str]
    loc: Loc


@dataclass(frozen=True)
class UnitTest:
    """Rows that a derived table's logic is given, and those that it is to make of them.

    Attributes:
        table: the derived table's name.
        hour: start of the first hour to compute, UTC.
        hours: how many adjoining hours are computed, at once.
        given: rows by the name of what is read; what is not named has none, reference data its own.
        expect: the rows that are to come out, in whatever order.
        tolerance: by how much a float or double may differ.
        document: the file, which knows the place of each value.
        loc: the test's place in it.
    """

    table: str
    name: str
    description: str
    hour: datetime
    hours: int
    given: Mapping[str, tuple[Row, ...]]
    expect: tuple[Row, ...]
    tolerance: float
    document: Document
    loc: Loc

    @property
    def computed(self) -> tuple[datetime, ...]:
        """The hours that are computed, oldest first."""
        return tuple(self.hour + number * HOUR for number in range(self.hours))

    def mistake(self, row: Row, column: str, expected: str) -> Mistake:
        """Return a mistake in the value of a row's column."""
        return self.document.mistake((*row.loc, row.keys[column]), expected)

    def line(self, row: Row) -> int:
        """Return the line that a row begins at."""
        return self.document.place(row.loc).line
