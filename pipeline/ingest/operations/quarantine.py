"""Setting a range of offsets aside: its records become dead letters without being read."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import StrEnum

from pipeline.cells import Cell
from pipeline.clock import Clock, utc_now
from pipeline.contract.model import Product
from pipeline.errors import TerminalError
from pipeline.ingest import offset_checks
from pipeline.ingest.commit.tables import ensure_tables
from pipeline.ingest.model import Range
from pipeline.ingest.read.source import Source
from pipeline.ingest.read.stored import stored_dead_letters
from pipeline.ingest.transform.records import Reason
from pipeline.kafka.identity import TopicIdentity
from pipeline.supervision.locks import hold_lock, quarantine_lock
from pipeline.tables.catalog import load_table
from pipeline.tables.commit import disable_commit_retries
from pipeline.tables.commit_retry import retry_commit
from pipeline.tables.errors import named_errors
from pipeline.tables.layout import dead_letters_table, events_table
from pipeline.tables.offsets import committed_offsets
from pipeline.tables.quarantines import (
    QUARANTINES_PROPERTY,
    Quarantine,
    read_quarantines,
    to_property,
)


class NotQuarantinedError(TerminalError):
    """The offsets named cannot be set aside: nothing was changed."""


class QuarantineState(StrEnum):
    """How far a quarantine is."""

    PENDING = "pending"
    """Ingest has not passed the range."""
    PASSED = "passed"
    """Ingest has passed the range; what it was too late for are rows."""


@dataclass(frozen=True)
class QuarantineStatus:
    """A quarantine, how far it is, and how many dead letters have come of it."""

    quarantine: Quarantine
    state: QuarantineState
    dead_letters: int


def quarantine(
    cell: Cell,
    product: Product,
    partition: int,
    start: int,
    end: int,
    *,
    reason: str,
    by: str,
    clock: Clock = utc_now,
) -> Quarantine:
    """Set the offsets [start, end) of one partition aside, also those that are not written yet.

    Kept durably in the dead letters table, and heeded from the next plan of any ingest on, a running one
    included: each record becomes a dead letter `quarantined` with its own bytes. NOT heeded: records of a
    batch that is at work at this moment.

    Raises:
        NotQuarantinedError: the range is empty, the topic has no such partition, or the range begins
            before the committed offset.
        ClusterChangedError, TopicRecreatedError: the tables hold another topic's offsets.
        TopicMissingError, and RetryableError where broker or catalog do not answer.
    """
    subject = f"{product.name}/{cell.name} partition {partition}"
    if not 0 <= start < end:
        raise NotQuarantinedError(
            f"{start}..{end} holds no offset.",
            subject=subject,
            remedy="Name offsets A..B, B excluded.",
        )
    if not reason.strip():
        raise NotQuarantinedError(
            "no reason is given.", subject=subject, remedy="Say why: it is kept for ever."
        )
    source = Source(cell, product, threading.Event())
    try:
        topic = source.topic_state(is_new=True)
    finally:
        source.close()
    if partition not in topic.identity.partitions:
        raise NotQuarantinedError(
            f"topic {topic.identity.topic} has no such partition.",
            subject=subject,
            remedy=f"It has {', '.join(map(str, topic.identity.partitions))}.",
        )
    wanted = Quarantine(topic.identity.topic_id, partition, start, end, reason, clock(), by)
    ensure_tables(cell, product)
    with (
        named_errors(subject),
        hold_lock(quarantine_lock(cell, product.name), f"quarantine by {by}", wait_s=30),
    ):
        retry_commit(
            lambda: _save(cell, product, topic.identity, topic.start[partition], wanted, subject),
            subject,
        )
    return wanted


def _save(
    cell: Cell,
    product: Product,
    identity: TopicIdentity,
    begin: int,
    wanted: Quarantine,
    subject: str,
) -> None:
    committed = committed_offsets(load_table(cell, events_table(product.name)))
    if committed is not None:
        offset_checks.check_same_topic(f"{product.name}/{cell.name}", identity, committed)
        # A partition that is not in the table yet is read from its beginning.
        begin = committed.next.get(wanted.partition, 0)
    if wanted.start < begin:
        raise NotQuarantinedError(
            f"offsets below {begin} are ingested already, or are not to be.",
            subject=subject,
            remedy=f"Set {begin}..{wanted.end} aside."
            if begin < wanted.end
            else "What became of them stands in events, dead letters and ledger.",
        )
    dead_letters = load_table(cell, dead_letters_table(product.name))
    disable_commit_retries(dead_letters)
    with dead_letters.transaction() as transaction:
        # The offsets are left alone: a commit of properties neither carries nor trips their fence.
        transaction.set_properties(
            {QUARANTINES_PROPERTY: to_property((*read_quarantines(dead_letters), wanted))}
        )


def list_quarantines(cell: Cell, product: Product) -> tuple[QuarantineStatus, ...]:
    """Return every quarantine of the product in the cell, oldest first.

    Raises:
        TableMissingError: the product was never ingested in this cell.
        CatalogUnavailableError, WarehouseUnavailableError: try again later.
    """
    with named_errors(f"{product.name}/{cell.name}"):
        dead_letters = load_table(cell, dead_letters_table(product.name))
        committed = committed_offsets(load_table(cell, events_table(product.name)))
        found: list[QuarantineStatus] = []
        for one in read_quarantines(dead_letters):
            stored = stored_dead_letters(
                dead_letters, one.topic_id, [Range(one.partition, one.start, one.end)]
            )
            passed = (
                committed is not None
                and committed.topic_id == one.topic_id
                and committed.next.get(one.partition, 0) >= one.end
            )
            state = QuarantineState.PASSED if passed else QuarantineState.PENDING
            count = sum(reason == Reason.QUARANTINED for reason in stored.values())
            found.append(QuarantineStatus(one, state, count))
    return tuple(found)
