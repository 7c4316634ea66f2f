"""Which hours of derived tables rows of events reach, and which of their builds had them. Pure functions."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from pipeline.batch.planning.staleness import hours_of, hours_reading
from pipeline.contract.model import EVENTS, DerivedTable, Product, Read, published_table
from pipeline.control.publications import Publication
from pipeline.impact.model import BuildReached, Found, HeldRows, HourReached, Standing

_NOTHING_HANDED_ON = "0:0"
"""The digest of no row."""
Hours = Mapping[datetime, HourReached]


def reach(product: Product, found: Found) -> tuple[HourReached, ...]:
    """Return the hours that are computed from hours with rows of `found`, and what each has of them.

    Followed from table to table by what each reads, as planning has it; of a table that reads its own earlier
    hours, on as long as these are published and hand rows on; and never on from an hour that is not changed.
    That an hour reads one which has some of the rows does not say that any value in it is another for them.
    """
    walk = _Walk(product, found)
    return tuple(one for table in product.derived_tables for one in walk.hours(table).values())


@dataclass(frozen=True)
class _Inputs:
    """What one hour reads of what is reached.

    Attributes:
        rows: of events.
        hours: of derived tables.
    """

    rows: tuple[HeldRows, ...]
    hours: tuple[HourReached, ...]
    through: tuple[str, ...]


class _Walk:
    def __init__(self, product: Product, found: Found) -> None:
        self._product = product
        self._numbers = found.numbers
        self._rows: dict[datetime, list[HeldRows]] = {}
        for one in found.rows:
            self._rows.setdefault(one.hour, []).append(one)
        self._builds: dict[tuple[str, datetime], list[Publication]] = {}
        for build in sorted(found.publications, key=lambda one: one.published_at):
            self._builds.setdefault((build.table, build.hour), []).append(build)
        self._reached: dict[str, dict[datetime, HourReached]] = {}

    def hours(self, table: DerivedTable) -> Hours:
        """Return the hours of a table that are reached, oldest first; of what it reads, before."""
        found: dict[datetime, HourReached] = {}
        self._reached[table.name] = found
        waiting = sorted(self._first(table))
        own = [read for read in table.reads if read.table == table.name]
        while waiting:
            hour = heapq.heappop(waiting)
            if hour in found:
                continue
            found[hour] = self._hour(table, hour)
            for read in own if self._hands_on(found[hour]) else ():
                for later in hours_reading(read, hour):
                    if (found[hour].identifier, later) in self._builds:
                        heapq.heappush(waiting, later)
        return found

    def _first(self, table: DerivedTable) -> set[datetime]:
        """Return the hours that read, of another table than their own, what is reached."""
        return {
            later
            for read in table.reads
            if read.table != table.name
            for hour in self._of(read)
            for later in hours_reading(read, hour)
        }

    def _of(self, read: Read) -> Iterable[datetime]:
        if read.table == EVENTS:
            return self._rows
        hours = self._reached.get(read.table, {})
        return [at for at, one in hours.items() if one.standing is not Standing.UNCHANGED]

    def _hands_on(self, hour: HourReached) -> bool:
        last, is_as_it_was = hour.last, hour.standing is Standing.UNCHANGED
        return last is not None and not is_as_it_was and last.handover != _NOTHING_HANDED_ON

    def _hour(self, table: DerivedTable, hour: datetime) -> HourReached:
        identifier = published_table(self._product, table)
        inputs = self._inputs(table, hour)
        published = self._builds.get((identifier, hour), [])
        builds = tuple(self._build(one, inputs) for one in published)
        rows = sum(one.rows for one in inputs.rows)
        standing = self._standing(table, builds[-1] if builds else None, inputs)
        return HourReached(table.name, identifier, hour, inputs.through, rows, standing, builds)

    def _inputs(self, table: DerivedTable, hour: datetime) -> _Inputs:
        rows: list[HeldRows] = []
        hours: list[HourReached] = []
        through: dict[str, None] = {}
        for read in table.reads:
            for one in hours_of(read, hour):
                if read.table == EVENTS and one in self._rows:
                    rows += self._rows[one]
                    through[EVENTS] = None
                    continue
                found = self._reached.get(read.table, {}).get(one)
                if found is not None and found.standing is not Standing.UNCHANGED:
                    hours.append(found)
                    through[read.table] = None
        return _Inputs(tuple(rows), tuple(hours), tuple(through))

    def _build(self, publication: Publication, inputs: _Inputs) -> BuildReached:
        told = [*self._told(publication, inputs)]
        rows = sum(
            one.rows for one in inputs.rows if self._had(publication, one.sequence_number) is True
        )
        holds = True if True in told else None if None in told else False
        return BuildReached(publication, holds, rows)

    def _told(self, publication: Publication, inputs: _Inputs) -> Iterator[bool | None]:
        """Yield, of what an hour reads, whether a build of it had some of the rows thereby."""
        yield from (self._had(publication, one.sequence_number) for one in inputs.rows)
        for hour in inputs.hours:
            read = _read_by(publication, hour)
            yield False if read is None else read.holds

    def _had(self, publication: Publication, sequence_number: int | None) -> bool | None:
        source = self._numbers.get(publication.source_snapshot_id)
        if source is None or sequence_number is None:
            return None
        return source >= sequence_number

    def _standing(
        self, table: DerivedTable, last: BuildReached | None, inputs: _Inputs
    ) -> Standing:
        if last is None:
            return Standing.UNPUBLISHED
        if last.holds is None:
            return Standing.UNKNOWN
        has_all = all(self._had(last.publication, one.sequence_number) for one in inputs.rows)
        is_done = has_all and all(
            one.standing is Standing.HOLDS
            and _is_up_to_date(last.publication, one, is_own=one.table == table.name)
            for one in inputs.hours
        )
        if last.holds:
            return Standing.HOLDS if is_done else Standing.PARTLY
        return Standing.UNCHANGED if is_done else Standing.NOT_YET


def _is_up_to_date(publication: Publication, hour: HourReached, *, is_own: bool) -> bool:
    """Tell whether what a publication read of an hour is what it would read now."""
    read, last = _read_by(publication, hour), hour.last
    if read is None or last is None:
        return False
    if read.publication is last:
        return True
    then, now = ((one.handover if is_own else one.digest) for one in (read.publication, last))
    return then is not None and then == now


def _read_by(publication: Publication, hour: HourReached) -> BuildReached | None:
    """Return the build of an hour that a publication was computed from: the last that was there by then."""
    there = (one for one in hour.builds if one.publication.published_at <= publication.published_at)
    return max(there, key=lambda one: one.publication.published_at, default=None)
