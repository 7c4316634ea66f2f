"""The dead letters of the last days: why there are any, what became of them, and some to look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from pipeline.cells import Cell
from pipeline.clock import HOUR, Clock, hour_of, utc_now
from pipeline.contract.model import Product
from pipeline.dead_letters.fate import Fate
from pipeline.dead_letters.look.without_values import without_values
from pipeline.dead_letters.read import load_letter_tables
from pipeline.dead_letters.recent import recent_letters
from pipeline.tables.snapshots import total_records

EXAMPLES = 3
"""Of each reason, the newest open ones first."""


@dataclass(frozen=True)
class Example:
    """One dead letter: where it stood, and what is wrong with it without any value of its record."""

    topic_id: str
    partition: int
    offset: int
    at: datetime
    reason: str
    fate: str
    detail: str


@dataclass(frozen=True)
class HourOfLetters:
    """How many records became dead letters in an hour of the wall clock, and how many of them are open."""

    hour: datetime
    letters: int
    open: int


@dataclass(frozen=True)
class Review:
    """Dead letters since an hour some days ago.

    Attributes:
        counts: (reason, fate) -> dead letters.
        examples: some of each reason.
        hours: every hour since then, oldest first, with dead letters or not.
        older: dead letters before, which were not looked at.
    """

    since: datetime
    counts: Mapping[tuple[str, str], int]
    examples: tuple[Example, ...]
    hours: tuple[HourOfLetters, ...]
    older: int

    @property
    def letters(self) -> int:
        """Dead letters that were looked at."""
        return sum(self.counts.values())

    @property
    def open(self) -> int:
        """Those of them that are open."""
        return sum(n for (_, fate), n in self.counts.items() if fate == Fate.OPEN)


def review_letters(cell: Cell, product: Product, days: int, clock: Clock = utc_now) -> Review:
    """Look at the dead letters of the last `days`. Files of those days are read, and no record's contents.

    Raises: as `recent_letters`; TableMissingError where the product was never ingested in this cell.
    """
    now = clock()
    since = hour_of(now) - timedelta(days=days)
    tables = load_letter_tables(cell, product)
    letters = recent_letters(tables, since)
    counts = letters.group_by("reason", "fate").len().sort("reason", "fate")
    return Review(
        since=since,
        counts={(reason, fate): count for reason, fate, count in counts.iter_rows()},
        examples=_examples(letters),
        hours=_hours(letters, since, now),
        older=total_records(tables.letters) - letters.height,
    )


def _examples(letters: pl.DataFrame) -> tuple[Example, ...]:
    is_open = pl.col("fate") == Fate.OPEN.value
    newest = letters.sort(is_open, "_ingested_at", "_offset", descending=True, maintain_order=True)
    some = newest.group_by("reason", maintain_order=True).head(EXAMPLES).sort("reason")
    columns = (
        "_topic_id",
        "_topic_partition",
        "_offset",
        "_ingested_at",
        "reason",
        "fate",
        "detail",
    )
    return tuple(
        Example(topic_id, partition, offset, at, reason, fate, without_values(reason, detail))
        for topic_id, partition, offset, at, reason, fate, detail in some.select(
            columns
        ).iter_rows()
    )


def _hours(letters: pl.DataFrame, since: datetime, now: datetime) -> tuple[HourOfLetters, ...]:
    counted = letters.group_by(pl.col("_ingested_at").dt.truncate("1h").alias("hour")).agg(
        pl.len(), (pl.col("fate") == Fate.OPEN.value).sum().alias("open")
    )
    found = {hour_of(hour): (count, open_) for hour, count, open_ in counted.iter_rows()}
    hours = [since + n * HOUR for n in range(round((hour_of(now) - since) / HOUR) + 1)]
    return tuple(HourOfLetters(hour, *found.get(hour, (0, 0))) for hour in hours)
