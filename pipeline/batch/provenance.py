"""What a published hour was computed from, and which build of it was there before. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from pipeline.batch.planning.staleness import PlanInputs, fingerprint, hours_of
from pipeline.contract.model import EVENTS, DerivedTable, Product, published_table
from pipeline.control.publications import Publication

MOST_INPUTS = 24
"""So many hours that it was computed from a provenance names."""


@dataclass(frozen=True)
class InputHour:
    """An hour that another was computed from.

    Attributes:
        table: as the contract names it.
        rows: of events, those of the pinned snapshot; of a derived table, those of `build`.
        build: of a derived table, the build that was read; None of events, and where nothing was published.
    """

    table: str
    hour: datetime
    rows: int | None
    build: Publication | None = None


@dataclass(frozen=True)
class Change:
    """What a publication says otherwise than the one before it, by the name of its field."""

    field: str
    before: object
    now: object


@dataclass(frozen=True)
class Provenance:
    """What a published hour was computed from, and what readers had of it before.

    Attributes:
        inputs: the newest hours of each table that it read, newest first; `MOST_INPUTS` of all.
        hours: how many it read.
        builds_known: whether the builds that `inputs` name are proven by the publication's fingerprint;
            where they are not, none is named.
        previous: the build of the same hour that readers had before; None of its first.
    """

    inputs: tuple[InputHour, ...]
    hours: int
    builds_known: bool
    previous: Publication | None = None

    def changes(self, publication: Publication) -> tuple[Change, ...]:
        """Return what `publication` says otherwise than `previous`: none where there is no `previous`."""
        if self.previous is None:
            return ()
        pairs = (
            (name, getattr(self.previous, name), getattr(publication, name)) for name in COMPARED
        )
        return tuple(Change(*pair) for pair in pairs if pair[1] != pair[2])


COMPARED = (
    "digest",
    "rows",
    "source_rows",
    "inputs",
    "contract_version",
    "expectations",
    "source_snapshot_id",
    "published_snapshot_id",
    "wap_id",
    "run_id",
    "published_at",
)
"""The fields that two builds of an hour are compared by, what readers see first."""


def provenance(
    product: Product,
    derived_table: DerivedTable,
    publication: Publication,
    known: PlanInputs,
    previous: Publication | None,
) -> Provenance:
    """Return what `publication`, of an hour of `derived_table`, was computed from, as far as `known` tells.

    The last publications of `known` are those of after the build, with the hours built beside it.
    """
    made_of = fingerprint(product, derived_table, publication.hour, known.last_publications)
    is_known = publication.inputs == made_of
    inputs = _input_hours(product, derived_table, publication.hour, known, named=is_known)
    hours = sum(read.hours for read in derived_table.reads)
    return Provenance(tuple(islice(inputs, MOST_INPUTS)), hours, is_known, previous)


def _input_hours(
    product: Product,
    derived_table: DerivedTable,
    hour: datetime,
    known: PlanInputs,
    *,
    named: bool,
) -> Iterator[InputHour]:
    tables = {one.name: published_table(product, one) for one in product.derived_tables}
    for read in derived_table.reads:
        for one in reversed(hours_of(read, hour)):
            if read.table == EVENTS:
                yield InputHour(EVENTS, one, known.rows.get(one, 0))
                continue
            build = known.last_publications.get((tables[read.table], one)) if named else None
            yield InputHour(read.table, one, build.rows if build else None, build)
