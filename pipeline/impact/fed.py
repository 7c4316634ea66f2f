"""What an hour read of events and of derived tables, told from rows and publications. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import polars as pl

from pipeline.batch.planning.staleness import PlanInputs, hours_of
from pipeline.contract.model import EVENTS, DerivedTable, Product, published_table
from pipeline.control.publications import Publication, latest
from pipeline.impact.cause_model import Came, Fed, InputBuild
from pipeline.impact.commits import Commit


def fed_by(
    held: pl.DataFrame,
    commits: Mapping[int, Commit],
    numbers: Mapping[int, int],
    build: Publication,
    before: Publication | None,
) -> tuple[Fed, ...]:
    """Return the rows of `held`, which `rows_held` has counted, by commit and partition, oldest first.

    `numbers` are the sequence numbers of snapshots of events, as far as these are known.
    """
    counted = held.group_by("snapshot_id", "partition").agg(
        pl.col("rows").sum(), pl.col("first").min(), pl.col("last").max()
    )
    source = numbers.get(build.source_snapshot_id)
    earlier = None if before is None else numbers.get(before.source_snapshot_id)
    found = []
    for snapshot_id, partition, rows, first, last in counted.iter_rows():
        commit = commits.get(snapshot_id)
        came = _came(commit, source, earlier, is_first=before is None)
        found.append(Fed(commit, partition, rows, first, last, came))
    return tuple(sorted(found, key=lambda one: (_number(one.commit), one.partition, one.first)))


def _came(
    commit: Commit | None, source: int | None, earlier: int | None, *, is_first: bool
) -> Came:
    if commit is None or source is None:
        return Came.UNKNOWN
    if commit.sequence_number > source:
        return Came.AFTER
    if is_first:
        return Came.FIRST
    if earlier is None:
        return Came.UNKNOWN
    return Came.BEFORE if commit.sequence_number <= earlier else Came.SINCE


def _number(commit: Commit | None) -> int:
    return -1 if commit is None else commit.sequence_number


def event_hours(table: DerivedTable, hour: datetime) -> tuple[datetime, ...]:
    """Return the hours of events that an hour of `table` reads, oldest first."""
    found = {one for read in table.reads if read.table == EVENTS for one in hours_of(read, hour)}
    return tuple(sorted(found))


def known_at(
    cell: str, publication: Publication, publications: Iterable[Publication]
) -> PlanInputs:
    """Return what was published once `publication` was, with the hours built beside it."""
    then = (one for one in publications if one.published_at <= publication.published_at)
    return PlanInputs(
        cell=cell,
        source_snapshot_id=publication.source_snapshot_id,
        rows={},
        closed=(),
        last_publications=latest(then),
        now=publication.published_at,
    )


def inputs_of(
    product: Product,
    table: DerivedTable,
    hour: datetime,
    now: PlanInputs,
    before: PlanInputs | None,
) -> tuple[InputBuild, ...]:
    """Return the hours of derived tables that an hour reads, as its last two builds found them."""
    return tuple(_inputs(product, table, hour, now, before))


def _inputs(
    product: Product,
    table: DerivedTable,
    hour: datetime,
    now: PlanInputs,
    before: PlanInputs | None,
) -> Iterator[InputBuild]:
    names = {one.name: published_table(product, one) for one in product.derived_tables}
    for read in table.reads:
        for one in hours_of(read, hour) if read.table != EVENTS else ():
            key = (names[read.table], one)
            found = now.last_publications.get(key)
            was = None if before is None else before.last_publications.get(key)
            is_other = before is not None and _are_others(
                found, was, is_own=read.table == table.name
            )
            yield InputBuild(read.table, one, found, was, is_other)


def _are_others(now: Publication | None, before: Publication | None, *, is_own: bool) -> bool:
    """Tell whether what is read of one build is another than of the other; without digests, builds are."""
    if now is None or before is None or now.wap_id == before.wap_id:
        return (now is None) != (before is None)
    digest, was = ((one.handover if is_own else one.digest) for one in (now, before))
    return digest is None or digest != was


def builds_of(
    publications: Sequence[Publication], identifier: str, hour: datetime
) -> tuple[Publication, ...]:
    """Return the publications of one hour of a table, newest first."""
    found = (one for one in publications if (one.table, one.hour) == (identifier, hour))
    return tuple(sorted(found, key=lambda one: one.published_at, reverse=True))
