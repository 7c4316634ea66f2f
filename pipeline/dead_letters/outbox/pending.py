"""Sending what is claimed, and noting where Kafka put it."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.expressions import parser

from pipeline.cells import Cell
from pipeline.clock import Clock, utc_now
from pipeline.contract.model import Product
from pipeline.dead_letters.fate import PLACE, LetterState
from pipeline.dead_letters.outbox.chunks import chunks
from pipeline.dead_letters.outbox.rows import sent_rows
from pipeline.dead_letters.outbox.send import sending
from pipeline.dead_letters.read import TOPIC, load_letter_tables, states
from pipeline.dead_letters.store import append_states
from pipeline.failpoints import failpoint
from pipeline.supervision.locks import confirm_lock, dead_letters_lock

Progress = Callable[[str, int], None]
"""Is told what is done, `tried` or `sent`, and of how many dead letters more."""


def send_claimed(
    cell: Cell, product: Product, *, on_progress: Progress, clock: Clock = utc_now
) -> int:
    """Send every record that is claimed and not noted as sent, and note it; return how many.

    A claim of a record that Kafka refuses for good is released: its dead letter is open again.

    Killed in between, at most `chunks.ROWS` records are sent a second time by the next call.

    Raises: as `replay`.
    """
    tables = load_letter_tables(cell, product)
    if tables.states is None or tables.committed is None:
        return 0
    noted = states(tables).filter(pl.col(TOPIC) == tables.committed.topic_id)
    claimed = pl.col("state") == LetterState.CLAIMED.value
    pending = noted.filter(claimed).join(
        noted.filter(~claimed), on=[*PLACE, "action_id"], how="anti"
    )
    if pending.is_empty():
        return 0
    lock = dead_letters_lock(cell, product.name)
    due = pending.get_column("action_id").unique().to_list()
    sent = 0
    with sending(cell, product.topic.name) as sender:
        for claims in chunks(
            tables.states, parser.parse(f"state = '{LetterState.CLAIMED.value}'"), pending
        ):
            is_due = pc.and_(
                pc.equal(claims.column("state"), LetterState.CLAIMED.value),
                pc.is_in(claims.column("action_id"), pa.array(due)),
            )
            own = claims.filter(is_due)
            confirm_lock(lock)
            places = sender.send(own, int(clock().timestamp() * 1_000))
            failpoint("replay.sent")
            append_states(cell, product.name, sent_rows(own, places, clock()))
            failpoint("replay.noted_sent")
            sent += len(places) - places.count(None)
            on_progress("sent", len(places))
    return sent
