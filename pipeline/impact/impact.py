"""What holds the records of a selection: read from the ledger, the tables and the publications."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import polars as pl
from pyiceberg.table import Table

from pipeline.cells import Cell
from pipeline.clock import HOUR
from pipeline.contract.model import EVENTS, Product
from pipeline.control.publications import HourSpan, Publication, read_recorded
from pipeline.errors import TerminalError
from pipeline.impact.commits import Commits, commits_of
from pipeline.impact.model import Found, HeldLetters, HeldRows, HourReached, Impact, ServedRows
from pipeline.impact.reach import reach
from pipeline.impact.rows import counted, letters_held, replays_held, rows_held
from pipeline.impact.selection import Selection
from pipeline.tables.catalog import find_table, open_catalog
from pipeline.tables.integrity.reading import reading
from pipeline.tables.layout import HOUR_COLUMN, dead_letters_table, product_table
from pipeline.tables.offsets import committed_offsets


class SnapshotUnknownError(TerminalError):
    """Nothing is kept of a snapshot of that id."""


class RunUnknownError(TerminalError):
    """No commit of events that is kept was made by a run of that id."""


class OffsetsUnknownError(TerminalError):
    """None of the offsets was ever ingested."""


def read_impact(cell: Cell, product: Product, selection: Selection) -> Impact:
    """Return what holds the records of a selection, downstream over derived tables.

    Of offsets, a snapshot or a run, the ledger says which commits count them, and of events and dead letters
    only files are read that may hold them by their bounds. A producer or a schema version is looked for in
    all of events, in few columns. Nothing is written, no Spark is started, and Kafka is not asked.

    Rows that retention has deleted are in no hour of events any more, and so reach none here.

    Raises:
        SnapshotUnknownError, RunUnknownError, OffsetsUnknownError: nothing is kept of what was asked for.
        TableMissingError: the product was never ingested in this cell.
        CatalogUnavailableError, WarehouseUnavailableError: try again later.
        FileMissingError, FileDamagedError: with the file.
    """
    commits = Commits.load(cell, product.name)
    events = commits.events
    entries = commits.entries(selection)
    if entries.is_empty():
        _refuse_unknown(cell, product, selection, commits)
    rows = rows_held(events, selection, entries)
    table = find_table(open_catalog(cell), dead_letters_table(product.name))
    letters = letters_held(table, selection, entries) if table is not None else {}
    wanted = (
        entries["snapshot_id"].unique().to_list()
        if selection.is_by_commit
        else {*rows["snapshot_id"].drop_nulls().to_list(), *(one for one, _ in letters if one)}
    )
    replays, of_replays = _replays(events, commits, selection, entries, letters)
    entries = pl.concat([entries, of_replays]).unique(["snapshot_id", "partition"])
    wanted = {*wanted, *replays["snapshot_id"].drop_nulls().to_list()}
    numbers = dict(entries.select("snapshot_id", "sequence_number").unique().iter_rows())
    held = (*_held(rows, numbers), *_held(replays, numbers, replayed=True))
    publications = _publications(cell, product, [one.hour for one in held])
    sources = {one.source_snapshot_id for one in publications}
    found = Found(
        commits=commits_of(entries, wanted),
        rows=held,
        letters=tuple(
            HeldLetters(why, n, at) for (at, why), n in sorted(letters.items(), key=repr)
        ),
        publications=publications,
        numbers={**numbers, **commits.sequence_numbers(sources - set(numbers))},
    )
    reached = reach(product, found)
    offsets = committed_offsets(events)
    return Impact(
        product=product.name,
        cell=cell.name,
        topic=product.topic.name if offsets is None else offsets.topic,
        selection=selection,
        commits=found.commits,
        rows=found.rows,
        letters=found.letters,
        reached=reached,
        served=tuple(_served(cell, product, reached)),
    )


def _refuse_unknown(cell: Cell, product: Product, selection: Selection, commits: Commits) -> None:
    """Raise what is to be told where no entry of the ledger is of a selection, if anything is."""
    subject = f"{product.name}/{cell.name}"
    if selection.snapshot_id is not None and not commits.is_known(selection.snapshot_id):
        raise SnapshotUnknownError(
            f"nothing is kept of a snapshot {selection.snapshot_id} of events.",
            subject=subject,
            remedy="Give one of events that ingest has committed: rows of dead letters and of derived tables "
            "have others.",
        )
    if selection.run_id is not None:
        raise RunUnknownError(
            f"no commit of events was made by a run {selection.run_id}.",
            subject=subject,
            remedy="Give the run id that events have in their column _run_id.",
        )
    if selection.start is not None:
        raise OffsetsUnknownError(
            f"no offset of {selection.start}..{selection.end} of partition {selection.partition} was "
            "ever ingested.",
            subject=subject,
            remedy=f"See which are: `headwater ledger {product.name} --cell {cell.name}`.",
        )


def _replays(
    events: Table,
    commits: Commits,
    selection: Selection,
    entries: pl.DataFrame,
    letters: Mapping[tuple[int | None, str], int],
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return rows that came of replays of the selected dead letters, as counted, and the entries of these."""
    none = entries.clear()
    # A producer's replays say so themselves.
    rows = replays_held(events, selection, entries if letters and selection.is_by_commit else none)
    if rows.is_empty():
        return counted(rows, none), none
    offsets = rows["_offset"].to_list()
    of_replays = commits.entries(Selection(start=min(offsets), end=max(offsets) + 1))
    return counted(rows, of_replays), of_replays


def _held(
    rows: pl.DataFrame, numbers: Mapping[int, int], *, replayed: bool = False
) -> Iterator[HeldRows]:
    of_hours = (
        rows.group_by("hour", "snapshot_id").agg(pl.col("rows").sum()).sort("hour", "snapshot_id")
    )
    for hour, snapshot_id, count in of_hours.iter_rows():
        yield HeldRows(hour, count, snapshot_id, numbers.get(snapshot_id), replayed)


def _publications(
    cell: Cell, product: Product, hours: Sequence[datetime]
) -> tuple[Publication, ...]:
    """Return publications of hours that may be reached: all from the first on where hours hand rows on."""
    if not hours:
        return ()
    hands_on = any(one.depends_on_past for one in product.derived_tables)
    last = None if hands_on else max(hours) + _farthest(product) * HOUR
    return read_recorded(cell, product.name, HourSpan(min(hours), last)).publications


def _farthest(product: Product) -> int:
    """Return how many hours after an hour of events the last one is that may be computed from it."""
    after = {EVENTS: 0}
    for table in product.derived_tables:
        after[table.name] = max(
            after.get(read.table, 0) + read.back + read.hours - 1 for read in table.reads
        )
    return max(after.values())


def _served(cell: Cell, product: Product, reached: Iterable[HourReached]) -> Iterator[ServedRows]:
    """Yield how many rows of feature tables are of hours that hold the selection."""
    for table in product.derived_tables:
        hours = {
            one.hour
            for one in reached
            if one.table == table.name and one.builds and one.builds[-1].holds
        }
        found = find_table(open_catalog(cell), product_table(product.name, table.name))
        if table.feature is None or not hours or found is None:
            continue
        yield from (
            ServedRows(table.name, hour, rows) for hour, rows in _rows_by_hour(found, hours)
        )


def _rows_by_hour(table: Table, hours: set[datetime]) -> Iterator[tuple[datetime, int]]:
    between = f"{HOUR_COLUMN} >= '{min(hours).isoformat()}' and {HOUR_COLUMN} <= '{max(hours).isoformat()}'"
    with reading(table):
        rows = pl.DataFrame(table.scan(between, selected_fields=(HOUR_COLUMN,)).to_arrow())
    counted = rows.filter(pl.col(HOUR_COLUMN).is_in(list(hours))).group_by(HOUR_COLUMN).len()
    yield from counted.sort(HOUR_COLUMN).iter_rows()
