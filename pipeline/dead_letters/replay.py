"""Replaying dead letters: claimed, sent back to their topic, and noted. docs/explanation/dead-letters.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from uuid import uuid4

import polars as pl

from pipeline.cells import Cell
from pipeline.clock import Clock, utc_now
from pipeline.contract.model import Product
from pipeline.dead_letters.audit import begin_action, end_action, require_reason
from pipeline.dead_letters.fate import PLACE
from pipeline.dead_letters.fixes.fix import Fix
from pipeline.dead_letters.outbox.claims import Claims
from pipeline.dead_letters.outbox.pending import Progress, send_claimed
from pipeline.dead_letters.plan import choose
from pipeline.dead_letters.read import load_letter_tables, states
from pipeline.dead_letters.selection import Selection
from pipeline.dead_letters.store import (
    note_action,
    states_table,
    unfinished_actions,
)
from pipeline.failpoints import failpoint
from pipeline.ingest import offset_checks
from pipeline.kafka.connect import connect_admin
from pipeline.kafka.topics import describe_topic
from pipeline.lineage.datasets import table_input, topic_output
from pipeline.lineage.runs import ParentRun
from pipeline.lineage.told import product_run, told
from pipeline.supervision.locks import dead_letters_lock, hold_lock
from pipeline.tables.layout import dead_letters_table

_REPLAY = "Sends dead letters that would pass now back to their topic."
WAIT_S = 30.0
"""How long another replay of the product is waited for."""


@dataclass(frozen=True)
class ReplayResult:
    """What a replay did.

    Attributes:
        action_id: of the audit, and of every record's header `headwater-replay-id`; None if nothing passed.
        selected, by_fate, other_topic, verdicts, by_reason: as in `ReplayPlan`.
        sent: records that Kafka has acknowledged.
        resumed: of earlier replays that were killed, records that this one sent.
    """

    action_id: str | None
    selected: int
    by_fate: Mapping[str, int]
    other_topic: int
    verdicts: Mapping[str, int]
    by_reason: Mapping[tuple[str, str], int]
    sent: int
    resumed: int


def replay(
    cell: Cell,
    product: Product,
    selection: Selection,
    *,
    by: str,
    reason: str,
    fix: Fix | None = None,
    on_progress: Progress = lambda _what, _count: None,
    clock: Clock = utc_now,
    parent: ParentRun | None = None,
) -> ReplayResult:
    """Send the open ones of the selected dead letters back, those that would pass now; the others stay.

    First, whatever earlier replays of the product have claimed and not noted as sent is sent. Each event
    lands exactly once, however often this is run, killed anywhere, beside others, ingest and maintenance.
    What arrives meanwhile is not selected. Returned means acknowledged by Kafka, not ingested: fates tell.
    Lineage tells of it as a run, which is part of `parent`.

    Raises:
        NoReasonError, FixInvalidError, NothingIngestedError: nothing was done.
        ClusterChangedError, TopicRecreatedError: dead letters are of another topic than there is now.
        LockHeldError: another replay of the product is at work.
        ClaimLostError: somebody discarded dead letters meanwhile; what earlier replays left is sent.
        ProduceFailedError, RegistryUnavailableError, CatalogUnavailableError, WarehouseUnavailableError,
            BrokerUnavailableError: try again; what is claimed goes first.
    """
    require_reason(reason, product)
    run = product_run(cell, product, "replay", _REPLAY, str(uuid4()), clock, parent)
    with (
        hold_lock(dead_letters_lock(cell, product.name), f"replay by {by}", wait_s=WAIT_S),
        told(run),
    ):

        def progress(what: str, count: int) -> None:
            on_progress(what, count)
            run.goes_on()

        check_topic(cell, product)
        resumed = resume(cell, product, by=by, on_progress=progress, clock=clock)
        # Before the look: a table that somebody else made and claimed in since would pass for an empty one.
        states_table(cell, product.name)
        chosen = choose(cell, product, selection)
        began = begin_action("replay", selection, chosen, by=by, reason=reason, at=clock())
        action = replace(began, fix=None if fix is None else fix.text)
        claims = Claims(cell, product, chosen, action, clock)
        tally = claims.write(selection, fix, partial(progress, "tried"))
        sent = 0
        if claims.count:
            note_action(cell, product.name, replace(action, chosen=claims.count))
            failpoint("replay.noted")
            claims.commit()
            failpoint("replay.claimed")
            sent = send_claimed(cell, product, on_progress=progress, clock=clock)
            end_action(cell, product, action, claims.count, {**tally.verdicts, "sent": sent}, clock)
        letters = dead_letters_table(product.name)
        run.inputs = [table_input(cell, letters, chosen.tables.snapshot_id, chosen.selected)]
        run.outputs = [
            topic_output(cell, product.topic.name, chosen.topic.topic_id, sent + resumed)
        ]
    return ReplayResult(
        action_id=action.action_id if claims.count else None,
        selected=chosen.selected,
        by_fate=chosen.by_fate,
        other_topic=chosen.other_topic,
        verdicts=tally.verdicts,
        by_reason=tally.by_reason,
        sent=sent,
        resumed=resumed,
    )


def check_topic(cell: Cell, product: Product) -> None:
    """Go on if the topic is the one that was ingested.

    Raises:
        ClusterChangedError, TopicRecreatedError: it is another.
        TopicMissingError, BrokerUnavailableError, KafkaAccessError: it cannot be looked at.
    """
    committed = load_letter_tables(cell, product).committed
    if committed is not None:
        with connect_admin(cell) as admin:
            found = describe_topic(admin, product.topic.name)
        offset_checks.check_same_topic(f"{product.name}/{cell.name}", found, committed)


def resume(
    cell: Cell,
    product: Product,
    *,
    by: str,
    on_progress: Progress = lambda _what, _count: None,
    clock: Clock = utc_now,
) -> int:
    """Send what killed replays have claimed and not noted as sent, and end them; return how many records.

    The caller holds the lock of the product's dead letters.
    """
    killed = unfinished_actions(cell, product.name)
    sent = send_claimed(cell, product, on_progress=on_progress, clock=clock)
    if killed:
        noted = states(load_letter_tables(cell, product))
        for action in killed:
            own = noted.filter(pl.col("action_id") == action.action_id).unique([*PLACE, "state"])
            counts = dict(own.get_column("state").value_counts().iter_rows())
            end_action(cell, product, action, action.chosen, {**counts, "ended_by": by}, clock)
    return sent
