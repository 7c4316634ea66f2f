"""The audit of dead letters, read and added to by those who look."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from pipeline.cells import Cell
from pipeline.clock import Clock, utc_now
from pipeline.contract.model import Product
from pipeline.dead_letters.audit import new_action_id
from pipeline.dead_letters.look.letter import Letter
from pipeline.dead_letters.read import LetterTables
from pipeline.dead_letters.selection import Selection
from pipeline.dead_letters.store import ENDED, Action, find_actions_table, note_action
from pipeline.tables.integrity.reading import reading


def read_actions(cell: Cell, product: Product) -> Sequence[Action]:
    """Return every row of the audit, newest last; none where nothing was ever done.

    Raises:
        CatalogUnavailableError, WarehouseUnavailableError: try again later.
        FileMissingError, FileDamagedError: with the file.
    """
    table = find_actions_table(cell, product.name)
    if table is None:
        return ()
    with reading(table):
        rows = pl.DataFrame(table.scan().to_arrow())
    # Of two rows of one time the beginning comes first.
    return tuple(Action(**row) for row in rows.sort("at", "step").to_dicts())


def note_reveal(
    cell: Cell,
    product: Product,
    tables: LetterTables,
    letter: Letter,
    *,
    reason: str,
    by: str,
    clock: Clock = utc_now,
) -> str:
    """Note that somebody looks at what is personal in a dead letter, and return the action's id.

    Raises: as `note_action`; then nothing may be shown.
    """
    offset = letter.record.offset
    here = Selection(partition=letter.record.partition, start=offset, end=offset + 1)
    now = clock()
    action = Action(
        action_id=new_action_id("reveal", now),
        at=now,
        action="reveal",
        step=ENDED,
        by=by,
        reason=reason,
        selection=here.to_json(),
        snapshot_id=tables.snapshot_id,
        fix=None,
        selected=1,
        chosen=1,
        outcome="{}",
    )
    note_action(cell, product.name, action)
    return action.action_id
