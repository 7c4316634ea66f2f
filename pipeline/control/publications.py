"""The publications table: which hour of which derived table was published, from what, and how."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from types import MappingProxyType
from typing import Self

from pyiceberg.table import Table

from pipeline.cells import Cell
from pipeline.control.append import add_missing
from pipeline.tables.catalog import find_table, open_catalog
from pipeline.tables.integrity.reading import reading
from pipeline.tables.layout import PUBLICATION_SCHEMA, publications_table
from pipeline.tables.snapshots import total_records


@dataclass(frozen=True)
class Publication:
    """One row of the publications table; docs/reference/format.md gives the meanings.

    The last four are None in a publication of format 1.
    """

    table: str
    hour: datetime
    published_at: datetime
    source_snapshot_id: int
    staged_snapshot_id: int | None
    published_snapshot_id: int | None
    wap_id: str
    rows: int
    contract_version: str
    run_id: str
    expectations: int
    source_rows: int | None = None
    inputs: str | None = None
    digest: str | None = None
    handover: str | None = None


def read_publications(
    cell: Cell, product: str, hour: datetime | None = None
) -> tuple[Publication, ...]:
    """Return the publications of the product in the cell, oldest first; those of `hour` if given.

    Who asks at a tick reads the hours that matter, by `read_recorded`.
    """
    if hour is None:
        return read_recorded(cell, product).publications
    return read_recorded(cell, product, HourSpan(hour, hour)).publications


@dataclass(frozen=True)
class HourSpan:
    """Hours from `first` to `last`, both included; None: without a bound.

    Attributes:
        or_since: publications since then count, too, of whatever hour.
    """

    first: datetime | None = None
    last: datetime | None = None
    or_since: datetime | None = None

    @property
    def row_filter(self) -> str | None:
        """The filter on a control table's rows; None for all of them."""
        bounds = [
            f"hour {comparison} '{hour.isoformat()}'"
            for comparison, hour in ((">=", self.first), ("<=", self.last))
            if hour is not None
        ]
        if not bounds:
            return None
        hours = " and ".join(bounds)
        if self.or_since is None:
            return hours
        return f"({hours}) or published_at >= '{self.or_since.isoformat()}'"


@dataclass(frozen=True)
class Recorded:
    """Publications as one snapshot of their table has them.

    Attributes:
        publications: of the hours that were asked for, oldest first.
        total: how many there are of all hours.
    """

    publications: tuple[Publication, ...] = ()
    total: int = 0


EVERY_HOUR = HourSpan()


def read_recorded(cell: Cell, product: str, span: HourSpan = EVERY_HOUR) -> Recorded:
    """Return the publications of the product in the cell, of the hours of `span`.

    Opens only files that may have some of these.
    """
    table = find_table(open_catalog(cell), publications_table(product))
    if table is None:
        return Recorded()
    scan = table.scan() if span.row_filter is None else table.scan(span.row_filter)
    with reading(table):
        rows = scan.to_arrow().sort_by("published_at").to_pylist()
    names = [field.name for field in fields(Publication)]
    # Tables of an older format lack the columns that came later.
    found = tuple(Publication(**{name: row.get(name) for name in names}) for row in rows)
    return Recorded(found, total_records(table))


class PublicationLog:
    """A product's publications in one cell: read once, then told of those that its reader records.

    What others record meanwhile it does not know: who builds a product's hours holds its batch lock.
    Not safe for several threads.
    """

    def __init__(self, publications: Iterable[Publication] = ()) -> None:
        """Begin with `publications`."""
        self._all: list[Publication] = []
        self._last: dict[tuple[str, datetime], Publication] = {}
        self._known: set[tuple[str, str, datetime]] = set()
        self._with_rows: dict[str, list[datetime]] = {}
        for publication in sorted(publications, key=lambda one: one.published_at):
            self.add(publication)

    @classmethod
    def read(cls, cell: Cell, product: str) -> Self:
        """Return what is recorded now."""
        return cls(read_publications(cell, product))

    def __iter__(self) -> Iterator[Publication]:
        """Iterate over all, in the order in which they became known."""
        return iter(self._all)

    @property
    def last(self) -> LastPublications:
        """The last publication of each hour of each table: a view, which follows what is added."""
        return MappingProxyType(self._last)

    def has(self, table: str, wap_id: str, hour: datetime) -> bool:
        """Tell whether what a staging has of an hour is recorded."""
        return (table, wap_id, hour) in self._known

    def last_before(self, table: str, hour: datetime) -> Publication | None:
        """Return the last publication of the newest hour with rows before `hour`; None if there is none."""
        hours = self._with_rows.get(table, [])
        place = bisect_left(hours, hour)
        return self._last[table, hours[place - 1]] if place else None

    def add(self, publication: Publication) -> None:
        """Take in a publication that was recorded just now."""
        table, hour = publication.table, publication.hour
        self._all.append(publication)
        self._last[table, hour] = publication
        self._known.add((table, publication.wap_id, hour))
        hours = self._with_rows.setdefault(table, [])
        place = bisect_left(hours, hour)
        is_there = place < len(hours) and hours[place] == hour
        if publication.rows and not is_there:
            hours.insert(place, hour)
        elif is_there and not publication.rows:
            del hours[place]


LastPublications = Mapping[tuple[str, datetime], Publication]
"""(table, hour) -> its last publication."""


def latest(publications: Iterable[Publication]) -> dict[tuple[str, datetime], Publication]:
    """Return the last publication of each (table, hour)."""
    ordered = sorted(publications, key=lambda publication: publication.published_at)
    return {(publication.table, publication.hour): publication for publication in ordered}


def record(
    cell: Cell, product: str, publications: Iterable[Publication]
) -> tuple[Publication, ...]:
    """Add those of `publications` whose `wap_id` has none of their hour yet; return them.

    All are added in one commit, or none. Idempotent, and safe when several processes record the same ones
    at once.

    Raises:
        TableBusyError: they could not be added beside other writers; none is there.
    """
    wanted = {(one.wap_id, one.hour): one for one in publications}
    if not wanted:
        return ()
    hours = HourSpan(min(hour for _, hour in wanted), max(hour for _, hour in wanted))
    ids = ", ".join(f"'{wap_id}'" for wap_id in sorted({wap_id for wap_id, _ in wanted}))

    def missing(table: Table) -> list[Publication]:
        scan = table.scan(
            f"{hours.row_filter} and wap_id in ({ids})", selected_fields=("wap_id", "hour")
        )
        with reading(table):
            known = {(row["wap_id"], row["hour"]) for row in scan.to_arrow().to_pylist()}
        return [one for identity, one in wanted.items() if identity not in known]

    table = publications_table(product)
    return add_missing(cell, table, PUBLICATION_SCHEMA, missing, asdict)
