"""Whether an hour of a derived table is to be built, told from metadata alone. Pure functions.

Late data is found by counting: rows of events are only ever added, so an hour whose count is not what
its last build saw has changed. What depends on a derived table is found by the digests of its hours.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pipeline.clock import HOUR
from pipeline.contract.model import DerivedTable, Product, Read, published_table
from pipeline.contract.parse.join import EVENTS
from pipeline.control.publications import Publication, Standing

SETTLING = timedelta(days=1)
"""How much longer late rows wait: an hour built again because of an earlier one has all of its own then."""


class Why(StrEnum):
    """Why an hour is built."""

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
class Seen:
    """What is known of a product's hours at one look.

    Attributes:
        rows: hour -> rows of events, in the snapshot that builds read.
        hours: every hour that has rows or has passed, closed or not.
        standing: the last publication of each hour of each table.
    """

    rows: Mapping[datetime, int]
    hours: Collection[datetime]
    standing: Standing
    now: datetime


def hours_of(read: Read, hour: datetime) -> tuple[datetime, ...]:
    """Return the hours that `read` covers for `hour`, oldest first."""
    last = hour - read.back * HOUR
    return tuple(last - n * HOUR for n in reversed(range(read.hours)))


def source_rows(table: DerivedTable, hour: datetime, rows: Mapping[datetime, int]) -> int:
    """Return how many rows of events the hour is computed from."""
    return sum(
        rows.get(one, 0)
        for read in table.reads
        if read.table == EVENTS
        for one in hours_of(read, hour)
    )


def fingerprint(product: Product, table: DerivedTable, hour: datetime, standing: Standing) -> str:
    """Return what tells the published hours that `hour` is computed from from any others; "" if none."""
    lines: list[str] = []
    for read in table.reads:
        if read.table == EVENTS:
            continue
        source = published_table(product, _table(product, read.table))
        is_own = read.table == table.name
        for place, one in enumerate(hours_of(read, hour)):
            published = standing.get((source, one))
            if published is not None:
                digest = published.handover if is_own else published.digest
                lines.append(f"{source} {place} {digest}")
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32] if lines else ""


def why_due(product: Product, table: DerivedTable, hour: datetime, seen: Seen) -> Why | None:
    """Return why the closed `hour` of `table` is to be built now; None if it is not.

    Publications of an older format, which do not say what they were computed from, count as sound.
    """
    published = seen.standing.get((published_table(product, table), hour))
    if published is None:
        return Why.NEW
    if published.inputs is not None and published.inputs != fingerprint(
        product, table, hour, seen.standing
    ):
        return Why.INPUTS
    if published.source_rows is not None and _is_ripe(product, table, hour, published, seen):
        return Why.LATE
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


def late_rows(table: DerivedTable, hour: datetime, published: Publication, seen: Seen) -> int:
    """Return how many rows of events have come (or gone) since the hour was computed."""
    if published.source_rows is None:
        return 0
    return abs(source_rows(table, hour, seen.rows) - published.source_rows)


def missing_inputs(
    product: Product, table: DerivedTable, hour: datetime, seen: Seen
) -> Iterator[tuple[str, datetime]]:
    """Yield the hours of derived tables that `hour` is computed from and that are not published yet."""
    for read in table.reads:
        if read.table == EVENTS:
            continue
        source = published_table(product, _table(product, read.table))
        for one in hours_of(read, hour):
            if one in seen.hours and (source, one) not in seen.standing:
                yield read.table, one


def _is_ripe(
    product: Product, table: DerivedTable, hour: datetime, published: Publication, seen: Seen
) -> bool:
    late = late_rows(table, hour, published, seen)
    waited = seen.now - published.published_at >= late_wait(product, table)
    return late > 0 and (waited or late >= table.late.share * (published.source_rows or 0))


def _table(product: Product, name: str) -> DerivedTable:
    return next(one for one in product.derived_tables if one.name == name)
