"""Actions on dead letters, as the audit has them: who, why, and what came of it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from pipeline.cells import Cell
from pipeline.clock import Clock
from pipeline.contract.model import Product
from pipeline.dead_letters.plan import Chosen
from pipeline.dead_letters.selection import Selection
from pipeline.dead_letters.store import BEGUN, ENDED, Action, note_action
from pipeline.errors import TerminalError


class NoReasonError(TerminalError):
    """Something is to be done with dead letters, and nobody says why."""


def require_reason(reason: str, product: Product) -> None:
    """Go on if somebody says why.

    Raises:
        NoReasonError: nobody does.
    """
    if not reason.strip():
        raise NoReasonError(
            "no reason is given.",
            subject=f"{product.name} dead letters",
            remedy="Say why: it is kept for ever.",
        )


def new_action_id(action: str, now: datetime) -> str:
    """Return an id that no other action has, and that says what and when."""
    return f"{action}-{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"


def begin_action(
    action: str, selection: Selection, chosen: Chosen, *, by: str, reason: str, at: datetime
) -> Action:
    """Return an action on dead letters that begins `at`: not noted yet, and nothing chosen."""
    return Action(
        action_id=new_action_id(action, at),
        at=at,
        action=action,
        step=BEGUN,
        by=by,
        reason=reason,
        selection=selection.to_json(),
        snapshot_id=chosen.tables.snapshot_id,
        fix=None,
        selected=chosen.selected,
        chosen=0,
        outcome="{}",
    )


def end_action(
    cell: Cell,
    product: Product,
    action: Action,
    chosen: int,
    outcome: Mapping[str, object],
    clock: Clock,
) -> None:
    """Note in the audit that an action has ended, and what came of it."""
    ended = replace(
        action, at=clock(), step=ENDED, chosen=chosen, outcome=json.dumps(outcome, sort_keys=True)
    )
    note_action(cell, product.name, ended)
