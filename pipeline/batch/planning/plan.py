"""Which hours of which derived tables to build, and whether they may be: a pure function."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.batch.planning.stages import HourStage, plan_stages
from pipeline.batch.planning.staleness import (
    BuildReason,
    PlanInputs,
    build_reason,
    hours_of,
    past_retention,
)
from pipeline.completeness.model import LineageIncompleteError
from pipeline.config.nearest import meant
from pipeline.contract.model import DerivedTable, Product, published_table
from pipeline.errors import RetryableError, TerminalError

_NAMED = 10
"""So many open hours are listed."""


class HourOpenError(RetryableError):
    """The hour is not closed: records of it may still be on their way."""


class PastRetentionError(TerminalError):
    """Retention has deleted events that the hour is computed from."""


class LedgerUnbalancedError(TerminalError):
    """Offsets are unaccounted for, so nothing computed from events may be published."""


class DerivedTableUnknownError(TerminalError):
    """The product's contract has no derived table of that name."""


@dataclass(frozen=True)
class HourBuild:
    """One hour of one derived table to build.

    Attributes:
        rows: rows of events in that hour.
        published: whether it has been published before.
        reason: `BuildReason.MAY_CHANGE` is built only if what is built before it changes its inputs.
        stages: what it is built in, in their order.
    """

    derived_table: str
    hour: datetime
    rows: int
    published: bool
    reason: BuildReason
    stages: tuple[HourStage, ...]


@dataclass(frozen=True)
class HoursPlan:
    """What to build, and from what.

    Attributes:
        source_snapshot_id: the snapshot of events that every build is to read; None if there is none,
            and then there is nothing to build.
        builds: oldest hour first, and within an hour each table after those that it reads.
        inputs: what the plan was made from.
        open_hours: those that were asked for and are not closed: nothing of them is built.
    """

    product: str
    cell: str
    source_snapshot_id: int | None
    builds: tuple[HourBuild, ...]
    inputs: PlanInputs = field(repr=False)
    open_hours: tuple[datetime, ...] = ()

    @property
    def refusal(self) -> HourOpenError | None:
        """What whoever asked is told once all else is built; None if no hour is open."""
        return _open(self.open_hours, f"{self.product}/{self.cell}") if self.open_hours else None


def plan_hours(
    product: Product,
    inputs: PlanInputs,
    *,
    hours: Iterable[datetime] | None = None,
    derived_tables: Iterable[str] | None = None,
    again: bool = False,
) -> HoursPlan:
    """Plan the closed hours that are due, of all the product's tables.

    Due are those that were never published, those that late rows have reached, those whose inputs have
    changed, and those for which one of these may turn out while the plan is executed. `hours`
    narrows it to some hours, of which the open ones are left out, `derived_tables` to some tables; `again`
    takes published ones too. Never due is what retention has deleted the events of.

    Raises:
        PastRetentionError: retention has deleted what one of `hours` is computed from: of every table, one of
            which lacks it, or of a table that is to be built `again`.
        HourOpenError: none of `hours` is closed.
        LedgerUnbalancedError: the ledger does not balance, and there would be something to build.
        LineageIncompleteError: events have rows that the ledger does not tell of, likewise.
        DerivedTableUnknownError: the contract has no such derived table.
    """
    subject = f"{product.name}/{inputs.cell}"
    wanted = _wanted(product, derived_tables, subject)
    if hours is not None:
        hours = tuple(hours)
        _refuse_past_retention(product, wanted, hours, inputs, again=again)
    closed = set(inputs.closed)
    chosen = closed if hours is None else set(hours)
    still_open = tuple(sorted(chosen - closed))
    if still_open and not chosen & closed:
        raise _open(still_open, subject)
    due = tuple(_due(product, wanted, sorted(chosen & closed), inputs, again=again))
    if due and not inputs.balanced:
        raise LedgerUnbalancedError(
            f"the ledger does not balance ({inputs.unexplained} offsets unexplained).",
            subject=subject,
            remedy=f"See `headwater ledger {product.name} --cell {inputs.cell} --verify`.",
        )
    if due and inputs.rows_unaccounted:
        raise LineageIncompleteError(
            f"{inputs.rows_unaccounted:,} rows of events have no lineage: somebody else added them.",
            subject=subject,
            remedy="`headwater lineage PRODUCT --completeness` tells of every table, and `headwater sql "
            '"SELECT * FROM table_history WHERE job IS NULL"` which commits; delete these rows, then build.',
        )
    return HoursPlan(product.name, inputs.cell, inputs.source_snapshot_id, due, inputs, still_open)


def _open(hours: tuple[datetime, ...], subject: str) -> HourOpenError:
    named = ", ".join(f"{hour:%Y-%m-%dT%H}" for hour in hours[:_NAMED])
    more = f" and {len(hours) - _NAMED:,} more" if len(hours) > _NAMED else ""
    what = f"hour {named} is" if len(hours) == 1 else f"hours {named}{more} are"
    return HourOpenError(
        f"{what} not closed, and not built.",
        subject=subject,
        remedy="Wait for the lateness allowance to pass and for ingest to catch up; "
        "`headwater hours` shows both.",
    )


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
            f"there is no derived table {unknown[0]}.",
            subject=subject,
            remedy=f"{meant(unknown[0], known)}Its contract names: {', '.join(known) or 'none'}.",
        )
    return tuple(known[name] for name in known if name in names)


def _refuse_past_retention(
    product: Product,
    wanted: tuple[DerivedTable, ...],
    hours: tuple[datetime, ...],
    inputs: PlanInputs,
    *,
    again: bool,
) -> None:
    for hour in sorted(hours):
        past = [table for table in wanted if past_retention(product, table, hour, inputs)]
        lacking = [
            table
            for table in past
            if (published_table(product, table), hour) not in inputs.last_publications
        ]
        if past if again else lacking and past == list(wanted):
            raise PastRetentionError(
                f"hour {hour:%Y-%m-%dT%H} of {past[0].name} cannot be built: retention has deleted events of "
                f"hours before {inputs.retained_from:%Y-%m-%dT%H}, and it is computed from some of these.",
                subject=f"{product.name}/{inputs.cell}",
                remedy="What is published of it stays as it is: leave the hour out.",
            )


def _due(
    product: Product,
    wanted: tuple[DerivedTable, ...],
    hours: list[datetime],
    inputs: PlanInputs,
    *,
    again: bool,
) -> Iterator[HourBuild]:
    changing: set[tuple[str, datetime]] = set()
    for hour in hours:
        for table in wanted:
            if past_retention(product, table, hour, inputs):
                continue
            reason = BuildReason.ASKED if again else build_reason(product, table, hour, inputs)
            if reason is None and any(
                (read.table, one) in changing
                for read in table.reads
                for one in hours_of(read, hour)
            ):
                reason = BuildReason.MAY_CHANGE
            if reason is None:
                continue
            changing.add((table.name, hour))
            published = (published_table(product, table), hour) in inputs.last_publications
            yield HourBuild(
                table.name, hour, inputs.rows[hour], published, reason, plan_stages(product, table)
            )
