"""Which hours of a plan are built together: a pure function."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate

from pipeline.batch.planning.plan import HourBuild, HoursPlan
from pipeline.batch.planning.range_logic import HourByHour, Ranged, RangeLogic, Sequential
from pipeline.batch.planning.staleness import BuildReason, hours_of
from pipeline.batch.sql.custom import CustomQuery
from pipeline.clock import HOUR
from pipeline.contract.model import DerivedTable, Product


@dataclass(frozen=True)
class RangeBounds:
    """How much is built together at most.

    Attributes:
        rows: rows of events in all hours that a range reads; an hour that reads more is a range of its own.
        hours: hours of a range.
        one_by_one: hours of a range whose hours are computed one by one.
    """

    rows: int
    hours: int = 24 * 31
    one_by_one: int = 24


@dataclass(frozen=True)
class RangeBuild:
    """Hours of one derived table that are built together.

    Attributes:
        builds: oldest first, at least one. Of a table whose logic is `Ranged` they adjoin: no other hour
            between them has events, and where the contract's logic computes the range itself, there is none.
    """

    derived_table: str
    builds: tuple[HourBuild, ...]

    @property
    def hours(self) -> tuple[datetime, ...]:
        """The hours, oldest first."""
        return tuple(build.hour for build in self.builds)


@dataclass(frozen=True)
class RangesPlan:
    """The hours of a plan in ranges, and what these were chosen by.

    Attributes:
        logic: how hours of each derived table are computed, by its name.
        ranges: as `plan_ranges` returns them.
        queries: custom queries that hours of each derived table are held to, by its name.
    """

    logic: Mapping[str, RangeLogic]
    bounds: RangeBounds
    ranges: tuple[RangeBuild, ...]
    queries: Mapping[str, tuple[CustomQuery, ...]] = field(default_factory=dict)


def plan_ranges(
    product: Product, plan: HoursPlan, logic: Mapping[str, RangeLogic], bounds: RangeBounds
) -> tuple[RangeBuild, ...]:
    """Put the builds of a plan together in ranges, in an order in which they can be built.

    Every build is in exactly one range, and no range comes before one that has hours which its own read. What
    only may change is a range of its own: whether it is due shows when what it reads has been built.
    """
    ranges: list[RangeBuild] = []
    rows = _Rows(plan.inputs.rows)
    for window in _windows(plan.builds, rows, bounds):
        for table in product.derived_tables:
            builds = [build for build in window if build.derived_table == table.name]
            grouping = _Grouping(table, logic[table.name], rows, bounds)
            ranges += (RangeBuild(table.name, tuple(one)) for one in grouping.ranges(builds))
    return tuple(ranges)


class _Rows:
    """Rows of events by hour."""

    def __init__(self, by_hour: Mapping[datetime, int]) -> None:
        self._hours = sorted(hour for hour, rows in by_hour.items() if rows)
        self._sums = [0, *accumulate(by_hour[hour] for hour in self._hours)]

    def between(self, first: datetime, last: datetime) -> int:
        """Return how many rows the hours from `first` to `last` have, both counted in."""
        before = bisect_left(self._hours, first)
        return self._sums[bisect_right(self._hours, last)] - self._sums[before]


def _windows(
    builds: Iterable[HourBuild], rows: _Rows, bounds: RangeBounds
) -> Iterator[list[HourBuild]]:
    """Yield builds of following hours, of all tables; what is built together is of one of these.

    So a long plan is done from its oldest hour on, and each table's ranges come after what they read.
    """
    window: list[HourBuild] = []
    hours: list[datetime] = []
    read = 0
    for build in builds:
        if not hours or hours[-1] != build.hour:
            more = rows.between(build.hour, build.hour)
            if hours and (read + more > bounds.rows or len(hours) == bounds.hours):
                yield window
                window, hours, read = [], [], 0
            hours.append(build.hour)
            read += more
        window.append(build)
    if window:
        yield window


@dataclass(frozen=True)
class _Grouping:
    """How builds of one table are put together."""

    table: DerivedTable
    logic: RangeLogic
    rows: _Rows
    bounds: RangeBounds

    def ranges(self, builds: Iterable[HourBuild]) -> Iterator[list[HourBuild]]:
        together: list[HourBuild] = []
        for build in builds:
            if together and not self._may_follow(together, build):
                yield together
                together = []
            together.append(build)
        if together:
            yield together

    def _may_follow(self, together: list[HourBuild], build: HourBuild) -> bool:
        match self.logic:
            case Sequential():
                return False
            case HourByHour():
                most, read = self.bounds.one_by_one, sum(map(self._read, (*together, build)))
                adjoins = True
            case Ranged():
                most, read = self.bounds.hours, self._read(together[0], build)
                adjoins = self._adjoin(together[-1].hour, build.hour)
        return (
            adjoins
            and len(together) < most
            and read <= self.bounds.rows
            and self._is_certain(together[-1])
            and self._is_certain(build)
        )

    def _is_certain(self, build: HourBuild) -> bool:
        most = self.logic.most_rows if isinstance(self.logic, Ranged) else None
        fits = most is None or self.rows.between(build.hour, build.hour) <= most
        return fits and build.reason is not BuildReason.MAY_CHANGE

    def _adjoin(self, earlier: datetime, later: datetime) -> bool:
        if later == earlier + HOUR:
            return True
        # What the contract's logic makes of an hour that nobody asks for, only the logic knows.
        is_ours = isinstance(self.logic, Ranged) and self.logic.sql is not None
        return is_ours and not self.rows.between(earlier + HOUR, later - HOUR)

    def _read(self, first: HourBuild, last: HourBuild | None = None) -> int:
        """Return how many rows of events there are in the hours that these and those between them read."""
        return sum(
            self.rows.between(
                hours_of(read, first.hour)[0], hours_of(read, (last or first).hour)[-1]
            )
            for read in self.table.reads
        )
