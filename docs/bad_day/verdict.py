"""Whether the day ended well: every event as it was meant, once, and what was computed of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from docs.bad_day.deploy import Shipped
from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.control.publications import read_publications
from pipeline.dead_letters.read import load_letter_tables, read_letters
from pipeline.dead_letters.selection import Selection
from pipeline.ledger.verify import verify_ledger
from pipeline.rows.frames import to_frame
from pipeline.tables.catalog import load_table
from pipeline.tables.layout import events_table


@dataclass(frozen=True)
class Verdict:
    """What is there in the end.

    Attributes:
        rows: of events.
        mended: of those, rows of the bad deploy, with the seconds that it meant.
        discarded, open: dead letters.
        rebuilt: builds of the hour that replayed rows reached, beyond the first of each table.
        problems: what is not as it should be.
    """

    rows: int
    mended: int
    discarded: int
    open: int
    rebuilt: int
    problems: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether all is as it should be."""
        return not self.problems


def verdict(
    cell: Cell, product: Product, shipped: Shipped, good: int, hour: datetime | None
) -> Verdict:
    """Compare the tables with what was sent: `good` records of the others, and the bad deploy's."""
    columns = ("_uuid", "watch_duration", "_replay_id")
    rows = to_frame(
        load_table(cell, events_table(product.name)).scan(selected_fields=columns).to_arrow()
    )
    mended = rows.filter(pl.col("_replay_id").is_not_null())
    letters = read_letters(load_letter_tables(cell, product), Selection())
    fates = dict(letters.get_column("fate").value_counts().iter_rows())
    rebuilt = 0
    if hour is not None:
        builds = [one for one in read_publications(cell, product.name) if one.hour == hour]
        rebuilt = len(builds) - len({one.table for one in builds})
    problems = list(verify_ledger(cell, product).problems)
    if dict(mended.select("_uuid", "watch_duration").iter_rows()) != shipped.broken:
        problems.append("replayed rows are not the events that the bad deploy meant")
    if rows.get_column("_uuid").n_unique() != len(rows):
        problems.append("an event is there twice")
    if len(rows) != good + len(shipped.broken):
        problems.append(f"{len(rows)} rows, and {good + len(shipped.broken)} events")
    if fates != {"landed": len(shipped.broken), "discarded": shipped.corrupt}:
        problems.append(f"dead letters became {fates}")
    if hour is not None and not rebuilt:
        problems.append("no hour was built again")
    return Verdict(
        rows=len(rows),
        mended=len(mended),
        discarded=fates.get("discarded", 0),
        open=fates.get("open", 0),
        rebuilt=rebuilt,
        problems=tuple(problems),
    )
