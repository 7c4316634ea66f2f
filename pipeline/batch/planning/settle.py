"""Which hours a plan has no need to look at: settled ones. Pure functions.

An hour is settled once it is closed, published of every derived table, up to date, and so old that no more
rows can come to it but those of a topic's history. That it stays so is told by two numbers: of the rows and
of the publications before the first hour that is not settled. Whatever unsettles an hour changes one of them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.batch.planning.staleness import SETTLING, PlanInputs, build_reason, late_rows
from pipeline.clock import HOUR, hour_of
from pipeline.contract.model import DerivedTable, Product, published_table
from pipeline.control.publications import Publication
from pipeline.hours.settled import SettledHours
from pipeline.hours.states import HourState, HourStates


@dataclass(frozen=True)
class HoursLook:
    """A product's hours as they are now, from one on.

    Attributes:
        since: the hours before it are settled, or were not asked for; None where all were looked at.
        states, publications: of the hours from there on, and of those that these reach back to.
        recorded: how many publications there are of all hours.
        inputs: what a plan of the hours from `since` on is made from.
    """

    since: datetime | None
    states: HourStates
    publications: tuple[Publication, ...]
    recorded: int
    inputs: PlanInputs

    @property
    def hours(self) -> tuple[HourState, ...]:
        """The hours from `since` on, oldest first."""
        since = self.since
        return tuple(one for one in self.states.hours if since is None or one.hour >= since)


def reach(product: Product) -> timedelta:
    """Return how far before an hour lie the hours that it is computed from, at most."""
    hours = (read.back + read.hours - 1 for table in product.derived_tables for read in table.reads)
    return max(hours, default=0) * HOUR


def basis(product: Product, events: str) -> str:
    """Return what tells the tables that hours were found settled of from any others; `events` is their id."""
    tables = [
        [
            published_table(product, table),
            sorted([read.table, read.hours, read.back] for read in table.reads),
        ]
        for table in product.derived_tables
    ]
    text = json.dumps([events, sorted(tables)])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def look_again(
    product: Product,
    settled: SettledHours | None,
    look: Callable[[datetime | None], HoursLook],
    back_to: datetime | None = None,
) -> tuple[HoursLook, SettledHours]:
    """Look at the hours that are not settled and those from `back_to` on; return what is settled now, too.

    `look` looks at the hours from an instant on, None for all. It is asked for all where what was settled is
    not as it was.
    """
    since = None if settled is None else settled.until
    if since is not None and back_to is not None:
        since = min(since, back_to)
    found = look(since)
    if settled is not None and settled != _summary(product, settled.until, found):
        found = look(None)
    return found, settled_hours(product, found)


def settled_hours(product: Product, look: HoursLook) -> SettledHours:
    """Return up to where hours are settled, by a look at all hours that were not settled before."""
    inputs, closed = look.inputs, set(look.inputs.closed)
    until = next(
        (
            hour
            for hour in sorted(inputs.rows)
            if (look.since is None or hour >= look.since)
            and not (hour in closed and _is_settled(product, hour, inputs))
        ),
        hour_of(inputs.now),
    )
    return _summary(product, until, look)


def _summary(product: Product, until: datetime, look: HoursLook) -> SettledHours:
    rows = sum(state.rows for state in look.states.hours if state.hour >= until)
    publications = sum(1 for one in look.publications if one.hour >= until)
    return SettledHours(
        until,
        basis(product, look.states.events_id),
        look.states.total_rows - rows,
        look.recorded - publications,
    )


def _is_settled(product: Product, hour: datetime, inputs: PlanInputs) -> bool:
    gates = product.gates
    lateness = timedelta(seconds=gates.late_s or gates.freshness_s) + SETTLING
    return inputs.now >= hour + HOUR + lateness and all(
        _is_up_to_date(product, table, hour, inputs) for table in product.derived_tables
    )


def _is_up_to_date(
    product: Product, table: DerivedTable, hour: datetime, inputs: PlanInputs
) -> bool:
    if build_reason(product, table, hour, inputs) is not None:
        return False
    published = inputs.last_publications.get((published_table(product, table), hour))
    # None where retention came first: it never will be.
    return published is None or not late_rows(table, hour, published, inputs)
