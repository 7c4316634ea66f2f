"""What a derived table's logic is given to compute one hour from."""

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
