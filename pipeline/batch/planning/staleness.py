"""Whether an hour of a derived table is stale, told from metadata alone. Pure functions.

Late data is found by counting: rows of events are only ever added, so an hour whose count is not what
its last build saw has changed. What depends on a derived table is found by the digests of its hours. Hours
that retention has deleted are never stale: what is published of them was computed from all of their rows, as
nothing could be again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from pipeline.clock import HOUR
from pipeline.contract.model import EVENTS, DerivedTable, Product, Read, published_table
from pipeline.control.publications import LastPublications, Publication, latest
from pipeline.hours.states import HourStates

SETTLING = timedelta(days=1)
"""How much longer late rows wait: an hour built again because of an earlier one has all of its own then."""


class BuildReason(StrEnum):
    """Why an hour is to be built: how what is published of it is stale."""

    NEW = "new"
    """It was never published."""
    LATE = "late"
    """Rows have reached it since, enough of them or for long enough."""
    INPUTS = "inputs"
    """Hours of derived tables that it was computed from are others now."""
    MAY_CHANGE = "may change"
    """What it is computed from is built before it; it follows only if that changes."""
    ASKED = "asked"
    """Somebody wants it built again."""


@dataclass(frozen=True)
class PlanInputs:
    """What is known of a product's hours at one moment: all that a plan is made from.

    Attributes:
        source_snapshot_id: the snapshot of events that builds are to read; None if there is none.
        rows: hour -> rows of events in that snapshot; of every hour that has rows or has passed.
        closed: those of these hours that are closed and may be due, oldest first.
        last_publications: the last publication of each hour of each table.
        balanced: whether the ledger balances.
        unexplained: offsets that the ledger has no explanation for.
        rows_unaccounted: rows of events that somebody else added, and no lineage leads to.
        retained_from: events of hours before it were deleted by retention; None: none were.
    """

    cell: str
    source_snapshot_id: int | None
    rows: Mapping[datetime, int]
    closed: tuple[datetime, ...]
    last_publications: LastPublications
    now: datetime
    balanced: bool = True
    unexplained: int = 0
    rows_unaccounted: int = 0
    retained_from: datetime | None = None

    @classmethod
    def of(
        cls,
        states: HourStates,
        publications: Iterable[Publication],
        *,
        balanced: bool = True,
        unexplained: int = 0,
        since: datetime | None = None,
    ) -> Self:
        """Return what one look at the hours, the publications and the ledger say.

        Hours before `since` are told of, for those after it to be computed from, and not to be planned.
        """
        return cls(
            cell=states.cell,
            source_snapshot_id=states.snapshot_id,
            rows={state.hour: state.rows for state in states.hours},
            closed=tuple(one for one in states.closed if since is None or one >= since),
            last_publications=latest(publications),
            now=states.looked_at,
            balanced=balanced,
            unexplained=unexplained,
            retained_from=states.retained_from,
        )


def hours_of(read: Read, hour: datetime) -> tuple[datetime, ...]:
    """Return the hours that `read` covers for `hour`, oldest first."""
    last = hour - read.back * HOUR
    return tuple(last - n * HOUR for n in reversed(range(read.hours)))


def hours_reading(read: Read, hour: datetime) -> tuple[datetime, ...]:
    """Return the hours for which `read` covers `hour`, oldest first: the inverse of `hours_of`."""
    return tuple(hour + (read.back + n) * HOUR for n in range(read.hours))


def source_rows(table: DerivedTable, hour: datetime, rows: Mapping[datetime, int]) -> int:
    """Return how many rows of events the hour is computed from."""
    return sum(
        rows.get(one, 0)
        for read in table.reads
        if read.table == EVENTS
        for one in hours_of(read, hour)
    )


def fingerprint(
    product: Product, table: DerivedTable, hour: datetime, last_publications: LastPublications
) -> str:
    """Return what tells the published hours that `hour` is computed from from any others; "" if none."""
    lines: list[str] = []
    for read in table.reads:
        if read.table == EVENTS:
            continue
        source = published_table(product, _table(product, read.table))
        is_own = read.table == table.name
        for place, one in enumerate(hours_of(read, hour)):
            published = last_publications.get((source, one))
            if published is not None:
                digest = published.handover if is_own else published.digest
                lines.append(f"{source} {place} {digest}")
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32] if lines else ""


def build_reason(
    product: Product, table: DerivedTable, hour: datetime, inputs: PlanInputs
) -> BuildReason | None:
    """Return why the closed `hour` of `table` is to be built now; None if it is not.

    Publications of an older format, which do not say what they were computed from, count as sound. So does
    what is `past_retention`.
    """
    if past_retention(product, table, hour, inputs):
        return None
    published = inputs.last_publications.get((published_table(product, table), hour))
    if published is None:
        return BuildReason.NEW
    if published.inputs is not None and published.inputs != fingerprint(
        product, table, hour, inputs.last_publications
    ):
        return BuildReason.INPUTS
    if published.source_rows is not None and _are_late_rows_due(
        product, table, hour, published, inputs
    ):
        return BuildReason.LATE
    return None


def late_wait(product: Product, table: DerivedTable) -> timedelta:
    """Return how long few late rows wait at most, from when their hour was last published.

    Unless the contract says it, until no more can come, to this hour or to those after it that it may hand
    rows on to: the lateness beyond which events are dead letters, and `SETTLING`.
    """
    if table.late.wait_s is not None:
        return timedelta(seconds=table.late.wait_s)
    gates = product.gates
    return timedelta(seconds=gates.late_s or gates.freshness_s) + SETTLING


def late_rows(
    table: DerivedTable, hour: datetime, published: Publication, inputs: PlanInputs
) -> int:
    """Return how many rows of events have come (or gone) since the hour was computed.

    None that retention has deleted, nor any that came to an hour after it had.
    """
    if published.source_rows is None or _lacks_events(table, hour, inputs):
        return 0
    return abs(source_rows(table, hour, inputs.rows) - published.source_rows)


def missing_inputs(
    product: Product, table: DerivedTable, hour: datetime, inputs: PlanInputs
) -> Iterator[tuple[str, datetime]]:
    """Yield the hours of derived tables that `hour` is computed from and that are not published yet.

    NOT those that never will be, because retention has deleted what they are computed from.
    """
    for read in table.reads:
        if read.table == EVENTS:
            continue
        other = _table(product, read.table)
        source = published_table(product, other)
        for one in hours_of(read, hour):
            if (
                one in inputs.rows
                and (source, one) not in inputs.last_publications
                and not past_retention(product, other, one, inputs)
            ):
                yield read.table, one


def past_retention(
    product: Product, table: DerivedTable, hour: datetime, inputs: PlanInputs
) -> bool:
    """Whether `hour` of `table` cannot be built any more: retention has deleted what it is computed from.

    That is events of an hour that it reads, or what an hour of another derived table is computed from that it
    reads, and that was never published.
    """
    if inputs.retained_from is None:
        return False
    if _lacks_events(table, hour, inputs):
        return True
    others = (
        (_table(product, read.table), one)
        for read in table.reads
        if read.table not in (EVENTS, table.name)
        for one in hours_of(read, hour)
    )
    return any(
        (published_table(product, other), one) not in inputs.last_publications
        and past_retention(product, other, one, inputs)
        for other, one in others
    )


def _lacks_events(table: DerivedTable, hour: datetime, inputs: PlanInputs) -> bool:
    return inputs.retained_from is not None and any(
        hours_of(read, hour)[0] < inputs.retained_from
        for read in table.reads
        if read.table == EVENTS
    )


def _are_late_rows_due(
    product: Product,
    table: DerivedTable,
    hour: datetime,
    published: Publication,
    inputs: PlanInputs,
) -> bool:
    late = late_rows(table, hour, published, inputs)
    waited = inputs.now - published.published_at >= late_wait(product, table)
    return late > 0 and (waited or late >= table.late.share * (published.source_rows or 0))


def _table(product: Product, name: str) -> DerivedTable:
    return next(one for one in product.derived_tables if one.name == name)
