"""How many of the offsets of the last day are open dead letters, against what the contract allows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from pipeline.cells import Cell
from pipeline.clock import Clock, hour_of, utc_now
from pipeline.contract.model import Product
from pipeline.contract.objectives import most_invalid
from pipeline.dead_letters.fate import Fate
from pipeline.dead_letters.read import load_letter_tables
from pipeline.dead_letters.recent import recent_letters
from pipeline.ledger.read import read_ledger

WINDOW = timedelta(days=1)


@dataclass(frozen=True)
class OpenShare:
    """Open dead letters among the offsets that were committed since the full hour a day ago.

    Attributes:
        since: where the window begins, UTC.
        open: dead letters of the window that are open now.
        offsets: committed in the window.
        most: the largest share that the contract's completeness SLO on events allows; None without one.
    """

    since: datetime
    open: int
    offsets: int
    most: float | None

    @property
    def share(self) -> float:
        """Open dead letters of all offsets, 0 to 1; 0 where none was committed."""
        return self.open / self.offsets if self.offsets else 0.0

    @property
    def kept(self) -> bool:
        """Whether the share is what the contract allows; so it is where it says nothing."""
        return self.most is None or self.share <= self.most


def measure_open_share(cell: Cell, product: Product, clock: Clock = utc_now) -> OpenShare:
    """Return the share as of now. Files of two days are read, however long the history is.

    Raises:
        TableMissingError: the product was never ingested in this cell.
        CatalogUnavailableError, WarehouseUnavailableError: try again later.
    """
    since = hour_of(clock()) - WINDOW
    letters = recent_letters(load_letter_tables(cell, product), since)
    hours = round(WINDOW / timedelta(hours=1)) + 1
    by_hour = read_ledger(cell, product, hours).by_hour()
    return OpenShare(
        since=since,
        open=letters.select((pl.col("fate") == Fate.OPEN.value).sum()).item(),
        offsets=sum(totals.offsets for hour, totals in by_hour.items() if hour >= since),
        most=most_invalid(product),
    )
