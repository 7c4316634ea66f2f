"""The ledger, as the tables tell it."""

from __future__ import annotations

from pyiceberg.table import Table

from pipeline.cells import Cell
from pipeline.clock import HOUR, hour_of
from pipeline.contract.model import Product
from pipeline.ledger.archived import Archive, PartitionHours
from pipeline.ledger.balance import Balance, differences
from pipeline.ledger.ledger import Ledger, find_problems
from pipeline.ledger.lines import Line, lines_of
from pipeline.ledger.model import sum_entries, sum_totals
from pipeline.ledger.retention import retention_account
from pipeline.tables.catalog import load_table
from pipeline.tables.layout import events_table
from pipeline.tables.offsets import CommittedOffsets, committed_offsets
from pipeline.tables.snapshots import main_history, total_records

LAST_HOURS = 48
"""So many hours of commits are told of by themselves, unless more are asked for."""
_ATTEMPTS = 10


def read_ledger(cell: Cell, product: Product, last: int = LAST_HOURS) -> Ledger:
    """Read the ledger: its closed balance, and the entries after it.

    What that costs does not depend on how much was ingested ever: opened are the metadata of two tables, and
    for the `last` hours of commits (0: none) the ledger table's files of these days. Who wants every entry
    added up anew takes `verify_ledger`. An entry that does not add up is never closed: from there on all are
    read, and told.

    Raises:
        TableMissingError: the product was never ingested in this cell.
        CatalogUnavailableError, WarehouseUnavailableError: try again later.
    """
    for _ in range(_ATTEMPTS):
        events = load_table(cell, events_table(product.name))
        archive = Archive.load(cell, product.name)
        # Otherwise it was written after `events` was loaded, and closes what that does not have yet.
        if archive.through <= _newest(events):
            return _ledger(events, archive, cell, product.name, last)
    return ledger_of(events, cell, product.name, last)


def ledger_of(table: Table, cell: Cell, product: str, last: int = LAST_HOURS) -> Ledger:
    """Return the ledger of the events `table` as loaded, every entry ever made read and added up anew.

    The closed balance is not taken at its word: that it is not the sum of its entries is a problem.
    """
    archive = Archive.load(cell, product)
    newest = _newest(table)
    # Others were kept meanwhile, of snapshots that this `table` was loaded too early to have.
    kept = [line for line in archive.lines(after=0) if line.sequence_number <= newest]
    lines = (*kept, *_since(table, archive.through))
    problems = archive.problems
    if archive.balance.through <= newest:
        problems += tuple(differences(archive.balance, lines))
    return _made(table, archive, cell, product, Balance(), lines, problems, last)


def _ledger(events: Table, archive: Archive, cell: Cell, product: str, last: int) -> Ledger:
    lines = (*archive.lines(), *_since(events, archive.through))
    return _made(events, archive, cell, product, archive.balance, lines, archive.problems, last)


def _made(
    events: Table,
    archive: Archive,
    cell: Cell,
    product: str,
    balance: Balance,
    lines: tuple[Line, ...],
    problems: tuple[str, ...],
    last: int,
) -> Ledger:
    offsets = committed_offsets(events)
    problems += tuple(find_problems(offsets, balance, lines))
    hours = _hours(events, archive, offsets, last)
    retention = retention_account(events)
    held = total_records(events)
    return Ledger(product, cell.name, offsets, balance, lines, problems, hours, retention, held)


def _newest(table: Table) -> int:
    current = table.current_snapshot()
    return 0 if current is None else current.sequence_number or 0


def _since(table: Table, through: int) -> tuple[Line, ...]:
    """Return the entries of the retained commits after `through`, oldest first."""
    return tuple(
        line
        for snapshot in reversed(list(main_history(table)))
        if (snapshot.sequence_number or 0) > through
        for line in lines_of(snapshot)
    )


def _hours(
    events: Table, archive: Archive, offsets: CommittedOffsets | None, last: int
) -> PartitionHours:
    if offsets is None or last < 1:
        return {}
    since = hour_of(offsets.committed_at) - (last - 1) * HOUR
    groups = {key: [totals] for key, totals in archive.hourly(since, _newest(events)).items()}
    for line in _since(events, archive.through):
        if line.committed_at >= since:
            key = (line.entry.partition, hour_of(line.committed_at))
            groups.setdefault(key, []).append(sum_entries([line.entry]))
    return {key: sum_totals(parts) for key, parts in groups.items()}
