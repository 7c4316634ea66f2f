"""What a derived table's logic is given to compute one hour, or a range of hours, from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pyspark.sql import DataFrame


@dataclass(frozen=True)
class Inputs:
    """The inputs of one hour of one derived table.

    Logic is deterministic: the same inputs give the same rows, bit for bit, whatever their order.

    Attributes:
        hour: start of the hour to compute, UTC.
        tables: by the names in the contract's `reads`. `events` has the rows of its hours in one
            pinned snapshot; another table those published; the table's own name the rows that earlier
            hours hand over.
        references: the product's reference data that the contract names, by name.
    """

    hour: datetime
    tables: Mapping[str, DataFrame]
    references: Mapping[str, DataFrame]


@dataclass(frozen=True)
class RangeInputs:
    """The inputs of adjoining hours of one derived table whose contract says `incrementalBy: timeRange`.

    Logic gives each of these hours, in a column `hour`, the rows that it would give it in any other range,
    and no row of another hour: where it reads the hour before, those that it would give it were that one
    published. Hours that have no events may be among them.

    Attributes:
        start: start of the first hour to compute, UTC.
        end: end of the last one, UTC.
        tables: by the names in the contract's `reads`, the rows of all hours that one of these reads:
            `events` in one pinned snapshot, another table as published; the table's own name the rows that
            the hour before `start` hands over.
        references: the product's reference data that the contract names, by name.
    """

    start: datetime
    end: datetime
    tables: Mapping[str, DataFrame]
    references: Mapping[str, DataFrame]
