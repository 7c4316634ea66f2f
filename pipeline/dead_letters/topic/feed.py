"""Feeding a product's topic of dead letters from their table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pipeline.cells import Cell
from pipeline.clock import Clock, utc_now
from pipeline.contract.model import Product
from pipeline.contract.targets.topic import dead_letter_topic_config
from pipeline.dead_letters.look.masking import Mask
from pipeline.dead_letters.read import LetterTables, load_letter_tables, states
from pipeline.dead_letters.topic.letters import letters_since, whole_letters
from pipeline.dead_letters.topic.memory import Fed, TopicMemory
from pipeline.dead_letters.topic.plan import ABSENT, BEGUN, LETTER, SENT, plan_topic
from pipeline.dead_letters.topic.records import letter_record, tombstone
from pipeline.dead_letters.topic.sender import TopicSender
from pipeline.errors import TerminalError
from pipeline.failpoints import failpoint
from pipeline.kafka.connect import MAX_RECORD_BYTES, connect_producer
from pipeline.produce.topic import ensure_made
from pipeline.state.open import open_state
from pipeline.supervision.locks import confirm_lock, dead_letter_topic_lock, hold_lock
from pipeline.tables.snapshots import total_records

BATCH = 2_000
"""So many tombstones are sent before that is noted."""
SLACK = timedelta(days=1)
"""So long before the last look dead letters are looked for again: clocks differ, and commits take time."""


class NoDeadLetterTopicError(TerminalError):
    """The contract asks for no topic of dead letters."""


@dataclass(frozen=True)
class FeedResult:
    """What a feed did.

    Attributes:
        topic: the topic's name.
        shown: records sent.
        withdrawn: tombstones sent.
        left: records that are to be sent yet, as `most` were.
        open: dead letters that the topic has when all is sent; None where nothing had changed, and no row
            was looked at.
    """

    topic: str
    shown: int = 0
    withdrawn: int = 0
    left: int = 0
    open: int | None = None


def feed_topic(
    cell: Cell,
    product: Product,
    *,
    by: str,
    most: int | None = None,
    clock: Clock = utc_now,
) -> FeedResult:
    """Send what the topic lacks: records of new dead letters, tombstones of those that are settled.

    The topic is made where it is absent. Run again, whatever killed the last one and whenever, it sends what
    is missing, and some twice: the key tells them. What it costs is bounded by the dead letters of two days,
    by those that are open, and by what was ever replayed; no row is read where no dead letter has come or
    changed. The first feed reads all. `most` bounds the records of this call; `by` names who feeds.

    Raises:
        NoDeadLetterTopicError: the contract asks for none.
        LockHeldError: somebody else feeds it.
        TableMissingError: the product was never ingested in this cell.
        ProduceFailedError, BrokerUnavailableError, KafkaAccessError, TopicRefusedError: nothing is lost.
        Others: as `load_letter_tables` and `State`.
    """
    wanted = dead_letter_topic_config(product)
    if wanted is None:
        raise NoDeadLetterTopicError(
            "its contract has no `deadLetterTopic`.",
            subject=f"product {product.name}",
            remedy="Name a topic there; docs/reference/contract.md says how.",
        )
    lock = dead_letter_topic_lock(cell, product.name)
    with hold_lock(lock, by, wait_s=0):
        memory = TopicMemory(open_state(cell), product.name)
        fed, looked_at = memory.fed(), clock()
        tables = load_letter_tables(cell, product)
        if fed is not None and fed.topic == wanted.name and not _changed(fed, tables):
            return FeedResult(wanted.name)
        topic = ensure_made(cell, wanted)
        if fed is None or fed.topic_id != topic.topic_id:
            fed = Fed(wanted.name, topic.topic_id)
            memory.begin(fed)
        since = None if fed.looked_at is None else fed.looked_at - SLACK
        plan = plan_topic(
            memory.letters(), letters_since(tables.letters, since), states(tables), tables.committed
        )
        shown = plan.shown if most is None else plan.shown.head(most)
        memory.note(plan.noted, ABSENT)
        size = max(MAX_RECORD_BYTES, int(wanted.config["max.message.bytes"]))
        with connect_producer(cell, max_request_size=size) as client:
            sender, mask = TopicSender(client, topic), Mask(product)
            for letters in plan.withdrawn.iter_slices(BATCH):
                confirm_lock(lock)
                sender.send(map(tombstone, letters.iter_rows(named=True)))
                failpoint("dead_letters.withdrawn")
                memory.note(letters, ABSENT)
            memory.forget(plan.forgotten)
            for rows in whole_letters(tables.letters, shown):
                confirm_lock(lock)
                letters = rows.select(list(LETTER))
                # First: what was sent unnoted would never have its tombstone.
                memory.note(letters, BEGUN)
                failpoint("dead_letters.begun")
                sender.send(letter_record(mask, row) for row in rows.iter_rows(named=True))
                failpoint("dead_letters.sent")
                memory.note(letters, SENT)
        left = plan.shown.height - shown.height
        if not left:
            memory.keep(_after(fed, looked_at, tables, plan.awaited))
        return FeedResult(wanted.name, shown.height, plan.withdrawn.height, left, plan.open)


def _changed(fed: Fed, tables: LetterTables) -> bool:
    """Return whether any dead letter has come, or may have another fate than at the last look."""
    ends = {} if tables.committed is None else tables.committed.next
    passed = any(ends.get(partition, 0) > offset for partition, offset in fed.awaited.items())
    return passed or (fed.letters, fed.states) != (total_records(tables.letters), _states(tables))


def _after(fed: Fed, looked_at: datetime, tables: LetterTables, awaited: Mapping[int, int]) -> Fed:
    letters, noted = total_records(tables.letters), _states(tables)
    return replace(fed, looked_at=looked_at, letters=letters, states=noted, awaited=awaited)


def _states(tables: LetterTables) -> str:
    snapshot = None if tables.states is None else tables.states.metadata.current_snapshot_id
    return "" if snapshot is None else str(snapshot)
