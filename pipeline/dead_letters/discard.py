"""Deciding that nothing is to be done about dead letters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import uuid4

from pipeline.cells import Cell
from pipeline.clock import Clock, utc_now
from pipeline.contract.model import Product
from pipeline.dead_letters.audit import begin_action, end_action, require_reason
from pipeline.dead_letters.outbox.rows import discarded_rows
from pipeline.dead_letters.plan import choose
from pipeline.dead_letters.replay import WAIT_S, resume
from pipeline.dead_letters.selection import Selection
from pipeline.dead_letters.store import commit_claims, note_action, states_table
from pipeline.failpoints import failpoint
from pipeline.lineage.datasets import table_input, table_output
from pipeline.lineage.told import product_run, told
from pipeline.supervision.locks import dead_letters_lock, hold_lock
from pipeline.tables.commit import write_files
from pipeline.tables.layout import dead_letter_states_table, dead_letters_table

_DISCARD = "Decides that nothing is to be done about dead letters."


@dataclass(frozen=True)
class DiscardResult:
    """What a discard did.

    Attributes:
        action_id: of the audit; None if nothing was open.
        selected, by_fate, other_topic: as in `ReplayPlan`.
        discarded: dead letters that are discarded now.
    """

    action_id: str | None
    selected: int
    by_fate: Mapping[str, int]
    other_topic: int
    discarded: int


def discard(
    cell: Cell,
    product: Product,
    selection: Selection,
    *,
    by: str,
    reason: str,
    clock: Clock = utc_now,
) -> DiscardResult:
    """Discard the open ones of the selected dead letters: all of them, or none. They stay in their table.

    What arrives meanwhile is not selected. It cannot be taken back.

    Raises: as `pipeline.dead_letters.replay.replay`, whose lock it takes.
    """
    require_reason(reason, product)
    run = product_run(cell, product, "discard", _DISCARD, str(uuid4()), clock)
    with (
        hold_lock(dead_letters_lock(cell, product.name), f"discard by {by}", wait_s=WAIT_S),
        told(run),
    ):
        resume(cell, product, by=by, clock=clock)
        table = states_table(cell, product.name)
        chosen = choose(cell, product, selection)
        began = begin_action("discard", selection, chosen, by=by, reason=reason, at=clock())
        action = replace(began, chosen=len(chosen.open))
        if not chosen.open.is_empty():
            note_action(cell, product.name, action)
            failpoint("discard.noted")
            made = discarded_rows(chosen.topic, chosen.open, action.action_id, clock())
            commit_claims(table, write_files(table, made))
            failpoint("discard.committed")
            end_action(cell, product, action, made.num_rows, {"discarded": made.num_rows}, clock)
        letters, states = dead_letters_table(product.name), dead_letter_states_table(product.name)
        run.inputs = [table_input(cell, letters, chosen.tables.snapshot_id, chosen.selected)]
        run.outputs = [table_output(cell, states, rows=len(chosen.open))]
    return DiscardResult(
        action_id=None if chosen.open.is_empty() else action.action_id,
        selected=chosen.selected,
        by_fate=chosen.by_fate,
        other_topic=chosen.other_topic,
        discarded=len(chosen.open),
    )
