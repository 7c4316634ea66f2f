"""The tables that tell what was done with dead letters. Rows are only ever added."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

import pyarrow as pa
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table
from pyiceberg.transforms import DayTransform, MonthTransform

from pipeline.cells import Cell
from pipeline.errors import RetryableError
from pipeline.tables import layout
from pipeline.tables.catalog import find_table, open_catalog
from pipeline.tables.commit import disable_commit_retries, write_files
from pipeline.tables.commit_retry import retry_commit
from pipeline.tables.create import Partition, ensure_table
from pipeline.tables.errors import named_errors
from pipeline.tables.integrity.reading import reading
from pipeline.tables.transaction import SteadyTransaction

STATES_PARTITION: Partition = ("at", DayTransform(), "at_day")
ACTIONS_PARTITION: Partition = ("at", MonthTransform(), "at_month")
BEGUN, ENDED = "begun", "ended"
"""The steps of an action."""


class ClaimLostError(RetryableError):
    """Somebody else did something with dead letters meanwhile; nothing of this landed."""


@dataclass(frozen=True)
class Action:
    """One row of the audit of dead letters; docs/reference/format.md gives the meanings."""

    action_id: str
    at: datetime
    action: str
    step: str
    by: str
    reason: str
    selection: str
    snapshot_id: int | None
    fix: str | None
    selected: int
    chosen: int
    outcome: str


def states_table(cell: Cell, product: str) -> Table:
    """Return the table of states, created where absent.

    Raises: as `ensure_table`.
    """
    identifier = layout.dead_letter_states_table(product)
    with named_errors(f"{cell.name}.{identifier}", cell.warehouse):
        return ensure_table(
            open_catalog(cell), identifier, layout.DEAD_LETTER_STATE_SCHEMA, STATES_PARTITION
        )


def find_states_table(cell: Cell, product: str) -> Table | None:
    """Return the table of states, None where nothing was ever done with a dead letter."""
    return find_table(open_catalog(cell), layout.dead_letter_states_table(product))


def find_actions_table(cell: Cell, product: str) -> Table | None:
    """Return the audit, None where nothing was ever done with a dead letter."""
    return find_table(open_catalog(cell), layout.dead_letter_actions_table(product))


def unfinished_actions(cell: Cell, product: str) -> tuple[Action, ...]:
    """Return the actions that began and have not ended: at work, or killed. Oldest first."""
    table = find_actions_table(cell, product)
    if table is None:
        return ()
    with reading(table):
        rows = table.scan().to_arrow().select(layout.DEAD_LETTER_ACTION_SCHEMA.names).to_pylist()
    ended = {row["action_id"] for row in rows if row["step"] == ENDED}
    begun = sorted(
        (row for row in rows if row["step"] == BEGUN and row["action_id"] not in ended),
        key=lambda row: row["at"],
    )
    return tuple(Action(**row) for row in begun)


def commit_claims(table: Table, files: Sequence[DataFile]) -> None:
    """Append `files` to the table of states, if nobody has changed it since it was loaded.

    Raises:
        ClaimLostError: somebody has; nothing landed.
    """
    disable_commit_retries(table)
    subject = ".".join(table.name())
    transaction = SteadyTransaction(table)
    try:
        with named_errors(subject):
            transaction.append_files(files)
            transaction.commit_transaction()
    except CommitFailedException as error:
        raise ClaimLostError(
            "somebody else replayed or discarded dead letters meanwhile.",
            subject=subject,
            remedy="Run the same command again: what they took is left out.",
        ) from error


def append_states(cell: Cell, product: str, rows: pa.Table) -> None:
    """Append rows to the table of states, beside whoever else does.

    Raises:
        TableBusyError, CatalogUnavailableError, WarehouseUnavailableError: nothing landed; try again later.
    """
    _append(cell, lambda: states_table(cell, product), rows)


def note_action(cell: Cell, product: str, action: Action) -> None:
    """Append one row to the audit.

    Raises: as `append_states`.
    """
    identifier = layout.dead_letter_actions_table(product)
    rows = pa.Table.from_pylist([asdict(action)], schema=layout.DEAD_LETTER_ACTION_SCHEMA)
    _append(
        cell,
        lambda: ensure_table(
            open_catalog(cell), identifier, layout.DEAD_LETTER_ACTION_SCHEMA, ACTIONS_PARTITION
        ),
        rows,
    )


def _append(cell: Cell, load: Callable[[], Table], rows: pa.Table) -> None:
    with named_errors(cell.name, cell.warehouse):
        files = write_files(load(), rows)

        def attempt() -> None:
            table = load()
            disable_commit_retries(table)
            transaction = SteadyTransaction(table)
            transaction.append_files(files)
            transaction.commit_transaction()

        retry_commit(attempt, cell.name)
