"""Which hours of which aggregates to build, and whether they may be: a pure function."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from pipeline.batch.model import Publication
from pipeline.batch.publications import latest
from pipeline.contract.model import Product
from pipeline.errors import RetryableError, TerminalError
from pipeline.hours.look import HourStates
from pipeline.tables.layout import aggregate_table


class HourOpenError(RetryableError):
    """The hour is not closed: records of it may still be on their way."""


class LedgerUnbalancedError(TerminalError):
    """Offsets are unaccounted for, so nothing computed from events may be published."""


class AggregateUnknownError(TerminalError):
    """The product's contract has no aggregate of that name."""


@dataclass(frozen=True)
class HourBuild:
    """One hour of one aggregate to build.

    Attributes:
        rows: rows of events in that hour.
        published: whether it has been published before.
    """

    aggregate: str
    hour: datetime
    rows: int
    published: bool


@dataclass(frozen=True)
class HoursPlan:
    """What to build, and from what.

    Attributes:
        source_snapshot_id: the snapshot of events that every build is to read; None if there is none,
            and then there is nothing to build.
        builds: oldest hour first.
    """

    product: str
    cell: str
    source_snapshot_id: int | None
    builds: tuple[HourBuild, ...]


def plan_hours(
    product: Product,
    states: HourStates,
    publications: Iterable[Publication],
    unexplained: int,
    *,
    balanced: bool,
    hours: Iterable[datetime] | None = None,
    aggregates: Iterable[str] | None = None,
    again: bool = False,
) -> HoursPlan:
    """Plan the closed hours that are not published yet, of all the product's aggregates.

    `hours` narrows it to some hours, `aggregates` to some tables; `again` takes published ones too.
    `balanced` and `unexplained` are what the ledger says.

    Raises:
        HourOpenError: one of `hours` is not closed.
        LedgerUnbalancedError: the books do not balance, and there would be something to build.
        AggregateUnknownError: the contract has no such aggregate.
    """
    subject = f"{product.name}/{states.cell}"
    known = [aggregate.name for aggregate in product.aggregates]
    wanted = known if aggregates is None else list(aggregates)
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise AggregateUnknownError(
            f"there is no aggregate {unknown[0]}.",
            subject=subject,
            remedy=f"Its contract names: {', '.join(known) or 'none'}.",
        )
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
    published = latest(publications)
    rows = {state.hour: state.rows for state in states.hours}
    builds = [
        HourBuild(name, hour, rows[hour], (aggregate_table(product.name, name), hour) in published)
        for hour in sorted(chosen)
        for name in wanted
    ]
    due = tuple(build for build in builds if again or not build.published)
    if due and not balanced:
        raise LedgerUnbalancedError(
            f"the books do not balance ({unexplained} offsets unexplained).",
            subject=subject,
            remedy=f"See `headwater ledger {product.name} --cell {states.cell} --verify`.",
        )
    return HoursPlan(product.name, states.cell, states.snapshot_id, due)
