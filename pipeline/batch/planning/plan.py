"""Which hours of which aggregates to build, and whether they may be: a pure function."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.batch.planning.staleness import Seen, Why, hours_of, why_due
from pipeline.contract.model import DerivedTable, Product, published_table
from pipeline.control.publications import Publication, latest
from pipeline.errors import RetryableError, TerminalError
from pipeline.hours.look import HourStates


class HourOpenError(RetryableError):
    """The hour is not closed: records of it may still be on their way."""


class LedgerUnbalancedError(TerminalError):
    """Offsets are unaccounted for, so nothing computed from events may be published."""


class DerivedTableUnknownError(TerminalError):
    """The product's contract has no aggregate of that name."""


@dataclass(frozen=True)
class HourBuild:
    """One hour of one aggregate to build.

    Attributes:
        rows: rows of events in that hour.
        published: whether it has been published before.
        why: `Why.MAY_CHANGE` is built only if what is built before it changes its inputs.
    """

    derived_table: str
    hour: datetime
    rows: int
    published: bool
    why: Why


@dataclass(frozen=True)
class HoursPlan:
    """What to build, and from what.

    Attributes:
        source_snapshot_id: the snapshot of events that every build is to read; None if there is none,
            and then there is nothing to build.
        builds: oldest hour first, and within an hour each table after those that it reads.
        seen: what the plan was made from.
    """

    product: str
    cell: str
    source_snapshot_id: int | None
    builds: tuple[HourBuild, ...]
    seen: Seen = field(repr=False)


def plan_hours(
    product: Product,
    states: HourStates,
    publications: Iterable[Publication],
    unexplained: int,
    *,
    balanced: bool,
    hours: Iterable[datetime] | None = None,
    derived_tables: Iterable[str] | None = None,
    again: bool = False,
) -> HoursPlan:
    """Plan the closed hours that are due, of all the product's tables.

    Due are those that were never published, those that late rows have reached, those whose inputs have
    changed, and those for which one of these may turn out while the plan is carried out. `hours`
    narrows it to some hours, `derived_tables` to some tables; `again` takes published ones too.
    `balanced` and `unexplained` are what the ledger says.

    Raises:
        HourOpenError: one of `hours` is not closed.
        LedgerUnbalancedError: the books do not balance, and there would be something to build.
        AggregateUnknownError: the contract has no such aggregate.
    """
    subject = f"{product.name}/{states.cell}"
    wanted = _wanted(product, derived_tables, subject)
    closed = set(states.closed)
    chosen = closed if hours is None else set(hours)
    still_open = sorted(chosen - closed)
    if still_open:
        raise HourOpenError(
            f"hour {still_open[0]:%Y-%m-%dT%H} is not closed.",
            subject=subject,
            remedy="Wait for its lateness allowance to pass and for ingest to catch up; "
            "`headwater hours` shows both.",
        )
    seen = Seen(
        {state.hour: state.rows for state in states.hours},
        frozenset(state.hour for state in states.hours),
        latest(publications),
        states.looked_at,
    )
    due = tuple(_due(product, wanted, sorted(chosen), seen, again=again))
    if due and not balanced:
        raise LedgerUnbalancedError(
            f"the books do not balance ({unexplained} offsets unexplained).",
            subject=subject,
            remedy=f"See `headwater ledger {product.name} --cell {states.cell} --verify`.",
        )
    return HoursPlan(product.name, states.cell, states.snapshot_id, due, seen)


def _wanted(
    product: Product, derived_tables: Iterable[str] | None, subject: str
) -> tuple[DerivedTable, ...]:
    known = {derived_table.name: derived_table for derived_table in product.derived_tables}
    if derived_tables is None:
        return product.derived_tables
    names = set(derived_tables)
    unknown = sorted(names - set(known))
    if unknown:
        raise DerivedTableUnknownError(
            f"there is no aggregate {unknown[0]}.",
            subject=subject,
            remedy=f"Its contract names: {', '.join(known) or 'none'}.",
        )
    return tuple(known[name] for name in known if name in names)


def _due(
    product: Product,
    wanted: tuple[DerivedTable, ...],
    hours: list[datetime],
    seen: Seen,
    *,
    again: bool,
) -> Iterator[HourBuild]:
    changing: set[tuple[str, datetime]] = set()
    for hour in hours:
        for table in wanted:
            why = Why.ASKED if again else why_due(product, table, hour, seen)
            if why is None and any(
                (read.table, one) in changing
                for read in table.reads
                for one in hours_of(read, hour)
            ):
                why = Why.MAY_CHANGE
            if why is None:
                continue
            changing.add((table.name, hour))
            published = (published_table(product, table), hour) in seen.standing
            yield HourBuild(table.name, hour, seen.rows[hour], published, why)
