"""Recording offsets as lost: the only way past records that Kafka deleted before they were ingested."""

from __future__ import annotations

import threading

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.errors import TerminalError
from pipeline.ingest.commit.tables import ensure_tables
from pipeline.ingest.read.source import Source
from pipeline.ledger.model import Entry, ledger_summary
from pipeline.tables.commit import CONTRACT_VERSION_KEY, LOSS_REASON_KEY, OffsetCommit, commit
from pipeline.tables.offsets import committed_offsets


class NotLostError(TerminalError):
    """The offsets named are not what was lost."""


def accept_loss(
    cell: Cell, product: Product, topic: str, partition: int, start: int, end: int, reason: str
) -> None:
    """Record [start, end) of one partition as lost, in both ingest tables, with the reason.

    The reason stays in the snapshot's summary. Dead letters first, then events: if it is ended
    between the two, doing it again completes it.

    Raises:
        NotLostError: the range does not start at the committed offset, ends beyond what Kafka
            deleted, or the topic is another.
        CommitConflictError, CommitUnknownError: look at the ledger and do it again.
    """
    source = Source(cell, product, threading.Event())
    try:
        state = source.topic_state(is_new=False)
    finally:
        source.close()
    subject = f"{product.name}/{cell.name} partition {partition}"
    events, dead_letters = ensure_tables(cell, product)
    before = committed_offsets(events)
    if before is None or partition not in before.next or topic != product.topic.name:
        raise NotLostError(
            f"nothing of topic {topic} partition {partition} is committed.",
            subject=subject,
            remedy=f"The product's topic is {product.topic.name}.",
        )
    due, gone = before.next[partition], state.earliest[partition]
    if start != due or not start < end <= gone:
        raise NotLostError(
            f"{start}..{end} is not what was lost: {due} is due and Kafka begins at {gone}.",
            subject=subject,
            remedy=f"Record {due}..{gone} as lost."
            if gone > due
            else "Nothing is lost: run the ingest.",
        )
    provenance = {CONTRACT_VERSION_KEY: product.version, LOSS_REASON_KEY: reason}
    entries = (Entry(partition, start, end, lost=end - start),)
    for table in (dead_letters, events):
        at = committed_offsets(table) or before
        offset_commit = OffsetCommit(
            identity=state.identity,
            first=before.first,
            next={**at.next, partition: max(end, at.next.get(partition, end))},
            summary={**ledger_summary(entries), **provenance},
        )
        commit(table, (), offset_commit)
