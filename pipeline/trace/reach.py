"""Which hours of derived tables a row reaches, and which of their builds had it. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.batch.planning.staleness import hours_of, hours_reading
from pipeline.contract.model import EVENTS, DerivedTable, Product, published_table
from pipeline.control.alerts import Alert
from pipeline.control.publications import Publication
from pipeline.trace.model import Build, Reached


@dataclass(frozen=True)
class Reach:
    """An hour of a derived table that is computed from a row's hour, through which tables."""

    table: DerivedTable
    hour: datetime
    through: tuple[str, ...]
    onward: bool = False


def reach(product: Product, hour: datetime) -> tuple[Reach, ...]:
    """Return the hours of derived tables that rows of `hour` reach, in the order of the contract's tables.

    Of a table that reads its own earlier hours those are followed that read the ones reached otherwise, and
    none behind them: what is handed on from hour to hour may go on for ever.
    """
    hours: dict[str, frozenset[datetime]] = {EVENTS: frozenset({hour})}
    found: list[Reach] = []
    for table in product.derived_tables:
        through = _through(table, hours)
        own = [read for read in table.reads if read.table == table.name]
        onward = {
            later
            for read in own
            for one in through
            for later in hours_reading(read, one)
            if later not in through
        }
        found += [Reach(table, one, tuple(through[one])) for one in sorted(through)]
        found += [Reach(table, one, (table.name,), onward=True) for one in sorted(onward)]
        hours[table.name] = frozenset(through) | onward
    return tuple(found)


def _through(
    table: DerivedTable, hours: Mapping[str, frozenset[datetime]]
) -> dict[datetime, list[str]]:
    found: dict[datetime, list[str]] = {}
    for read in table.reads:
        if read.table == table.name:
            continue
        for one in sorted(hours.get(read.table, frozenset())):
            for later in hours_reading(read, one):
                told = found.setdefault(later, [])
                if read.table not in told:
                    told.append(read.table)
    return found


def reached(
    product: Product,
    reaches: Sequence[Reach],
    committed: int | None,
    publications: Iterable[Publication],
    numbers: Mapping[int, int],
    alerts: Iterable[Alert] = (),
) -> tuple[Reached, ...]:
    """Return `reaches` with their publications, each of which had the row or not.

    Args:
        committed: sequence number of the commit that brought the row; None where no entry tells.
        publications, alerts: of all these hours, oldest first.
        numbers: snapshot of events -> its sequence number, of those that are known.

    A build of a table that reads other derived tables had the row if its own source snapshot had it, and so
    had a build of one of these that was published before.
    """
    by_hour: dict[tuple[str, datetime], list[Publication]] = {}
    for published in publications:
        by_hour.setdefault((published.table, published.hour), []).append(published)
    raised: dict[tuple[str, datetime], list[Alert]] = {}
    for alert in alerts:
        raised.setdefault((alert.table, alert.hour), []).append(alert)
    builds: dict[tuple[str, datetime], tuple[Build, ...]] = {}
    found: list[Reached] = []
    for one in reaches:
        identifier = published_table(product, one.table)
        key = (identifier, one.hour)
        inputs = tuple(_inputs(product, one, builds))
        made = by_hour.get(key, [])
        builds[key] = tuple(
            Build(
                each,
                _holds(one, each, committed, numbers.get(each.source_snapshot_id), inputs),
                is_current=each is made[-1],
            )
            for each in made
        )
        found.append(
            Reached(
                one.table.name,
                identifier,
                one.table.feature is not None,
                one.hour,
                one.through,
                one.onward,
                builds[key],
                tuple(raised.get(key, ())),
            )
        )
    return tuple(found)


def _inputs(
    product: Product, one: Reach, builds: Mapping[tuple[str, datetime], tuple[Build, ...]]
) -> Iterator[Build]:
    """Yield builds of the derived tables' hours that `one` is computed from."""
    tables = {table.name: table for table in product.derived_tables}
    for read in one.table.reads:
        if read.table == EVENTS or read.table not in one.through:
            continue
        identifier = published_table(product, tables[read.table])
        for hour in hours_of(read, one.hour):
            yield from builds.get((identifier, hour), ())


def _holds(
    one: Reach,
    publication: Publication,
    committed: int | None,
    source: int | None,
    inputs: Iterable[Build],
) -> bool | None:
    own = None if committed is None or source is None else source >= committed
    if own is False or EVENTS in one.through:
        return own
    before = [
        build.holds
        for build in inputs
        if build.publication.published_at <= publication.published_at
    ]
    if True in before:
        return own
    return None if None in before else False
