"""Setting a range of offsets aside: its records become dead letters without being read."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import StrEnum

from pipeline.cells import Cell
from pipeline.clock import Clock, utc_now
from pipeline.contract.model import Product
from pipeline.errors import TerminalError
from pipeline.ingest import refusals
from pipeline.ingest.commit.tables import ensure_tables
from pipeline.ingest.plan import Range
from pipeline.ingest.read.coordinates import held_letters
from pipeline.ingest.read.source import Source
from pipeline.ingest.transform.records import Reason
from pipeline.kafka.identity import TopicIdentity
from pipeline.supervision.locks import hold, quarantine_lock
from pipeline.tables.catalog import load_table
from pipeline.tables.commit import refuse_hidden_retries
from pipeline.tables.commit_retry import until_it_lands
from pipeline.tables.errors import named_errors
from pipeline.tables.layout import dead_letters_table, events_table
from pipeline.tables.offsets import committed_offsets
from pipeline.tables.quarantines import PROPERTY, Quarantine, quarantines, to_property


class NotQuarantinedError(TerminalError):
    """The offsets named cannot be set aside: nothing was changed."""


class State(StrEnum):
    """How far a quarantine is."""

    PENDING = "pending"
    """Ingest has not passed the range."""
    PASSED = "passed"
    """Ingest has passed the range; what it was too late for are rows."""


@dataclass(frozen=True)
class Standing:
    """A quarantine, how far it is, and how many dead letters have come of it."""

    quarantine: Quarantine
    state: State
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
        topic = source.look(is_new=True)
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
        hold(quarantine_lock(cell, product.name), f"quarantine by {by}", wait_s=30),
    ):
        until_it_lands(
            lambda: _keep(cell, product, topic.identity, topic.start[partition], wanted, subject),
            subject,
        )
    return wanted


def _keep(
    cell: Cell,
    product: Product,
    identity: TopicIdentity,
    begin: int,
    wanted: Quarantine,
    subject: str,
) -> None:
    committed = committed_offsets(load_table(cell, events_table(product.name)))
    if committed is not None:
        refusals.refuse_other_topic(f"{product.name}/{cell.name}", identity, committed)
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
    side = load_table(cell, dead_letters_table(product.name))
    refuse_hidden_retries(side)
    with side.transaction() as transaction:
        # The offsets are left alone: a commit of properties neither carries nor trips their fence.
        transaction.set_properties({PROPERTY: to_property((*quarantines(side), wanted))})


def standing(cell: Cell, product: Product) -> tuple[Standing, ...]:
    """Return every quarantine of the product in the cell, oldest first.

    Raises:
        TableMissingError: the product was never ingested in this cell.
        CatalogUnavailableError, WarehouseUnavailableError: try again later.
    """
    with named_errors(f"{product.name}/{cell.name}"):
        side = load_table(cell, dead_letters_table(product.name))
        committed = committed_offsets(load_table(cell, events_table(product.name)))
        found: list[Standing] = []
        for one in quarantines(side):
            letters = held_letters(side, one.topic_id, [Range(one.partition, one.start, one.end)])
            passed = (
                committed is not None
                and committed.topic_id == one.topic_id
                and committed.next.get(one.partition, 0) >= one.end
            )
            state = State.PASSED if passed else State.PENDING
            count = sum(reason == Reason.QUARANTINED for reason in letters.values())
            found.append(Standing(one, state, count))
    return tuple(found)
