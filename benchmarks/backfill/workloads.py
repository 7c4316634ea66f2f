"""What is built: a year of flights into two tables, or a week of viewing into three."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.backfill import flights
from benchmarks.backfill.audits import audit_statements
from benchmarks.backfill.contestants import WEEK, YEAR
from benchmarks.backfill.work import Place, Target
from benchmarks.hourly import prepare
from benchmarks.hourly.contestants import TABLES as VIEWING_TABLES
from pipeline.cells import Cell
from pipeline.clock import HOUR
from pipeline.contract.model import Product
from pipeline.hours.rows import rows_by_hour
from pipeline.tables.catalog import load_table
from pipeline.tables.layout import events_table

SQL = Path(__file__).parent / "sql"
WARM_UP = 500
"""Flights that are built outside the clock; of viewing, events an hour for two hours."""
WEEK_HOURS = 168


@dataclass(frozen=True)
class Workload:
    """What is built, and by whom.

    Attributes:
        name: `year` or `week`.
        contestants: the first one's rows are those that the others' are held to.
        size: flights in all, or viewing events an hour.
        hours: of the week; of flights it is every hour that has some.
    """

    name: str
    contestants: Sequence[str]
    size: int
    hours: int = 0

    def product(self, folder: Path) -> Product:
        """Return the product; contracts that are not the project's own are written to `folder`."""
        if self.name == "year":
            return flights.departures(folder)
        return prepare.viewing_product()

    def targets(self, product: Product) -> tuple[Target, ...]:
        """Return the tables that are built, in an order in which they can be."""
        if self.name == "week":
            return tuple(Target(name) for name in VIEWING_TABLES)
        by_name = {table.name: table for table in product.derived_tables}
        return tuple(
            Target(
                name,
                (SQL / f"{name}.sql").read_text(),
                tuple(audit_statements(by_name[name].expectations)),
            )
            for name in flights.TABLES
        )

    def fill(self, cell: Cell, product: Product, *, warm_up: bool) -> None:
        """Commit the events, or the few of the warm-up."""
        if self.name == "year":
            flights.fill(cell, product, WARM_UP if warm_up else self.size)
        elif warm_up:
            prepare.fill(cell, product, WARM_UP, 2)
        else:
            prepare.fill(cell, product, self.size, self.hours)


def year(count: int) -> Workload:
    """Return the first `count` flights of the year."""
    return Workload("year", YEAR, count)


def week(events: int, hours: int = WEEK_HOURS) -> Workload:
    """Return `hours` hours of `events` events of viewing."""
    return Workload("week", WEEK, events, hours)


def prepared(
    workload: Workload, product: Product, root: Path, name: str, *, warm_up: bool
) -> Place:
    """Fill the cell `name` under `root`, and keep it aside as it is: each run gets a copy of it."""
    cell = prepare.cell_in(root, name)
    workload.fill(cell, product, warm_up=warm_up)
    rows = rows_by_hour(load_table(cell, events_table(product.name)))
    root.rename(kept(root))
    end = max(rows) + HOUR
    return Place(
        name, str(root), min(rows).isoformat(), end.isoformat(), len(rows), sum(rows.values())
    )


def kept(root: Path) -> Path:
    """Return where the cell of `root` is kept aside."""
    return root.with_name(f"{root.name}.kept")
