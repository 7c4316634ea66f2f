"""The engine's own path from a contract folder and records to committed tables, without a broker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pyiceberg.table import Table

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.ingest.commit.rows_writer import RowsWriter
from pipeline.ingest.commit.tables import ensure_tables
from pipeline.ingest.transform.exclude import Exclusions
from pipeline.ingest.transform.frame import dead_letter_rows
from pipeline.ingest.transform.process import Processor
from pipeline.kafka.identity import TopicIdentity
from pipeline.kafka.record_batches import BatchSlice, parse_batches
from pipeline.kafka.records import records_in
from pipeline.ledger.model import Entry, ledger_summary
from pipeline.tables.commit import OffsetCommit, commit, write_files
from tests.decoder.batches import batch
from tests.decoder.registry import Schemas
from tests.round_trip.contracts import Contract
from tests.round_trip.records import CLUSTER_ID, ENVELOPE_ID, PAYLOAD_ID, TOPIC_ID, Sent

NOW = datetime(2026, 1, 1, 0, 5, tzinfo=UTC)


@dataclass(frozen=True)
class Landed:
    """A product's tables after one micro-batch."""

    events: Table
    dead_letters: Table


def land(cell: Cell, product: Product, contract: Contract, sent: Sequence[Sent]) -> Landed:
    """Take `sent` as one micro-batch, and commit what it becomes."""
    events, side = ensure_tables(cell, product)
    identity = TopicIdentity(CLUSTER_ID, product.topic.name, TOPIC_ID, (0,))
    registry = Schemas({PAYLOAD_ID: contract.payload, ENVELOPE_ID: contract.envelope}, [PAYLOAD_ID])
    processor = Processor(product, registry, identity, "run")
    data = batch(0, len(sent) - 1, [one.wrote for one in sent])
    items = parse_batches(0, data, 0, len(sent), ()).items
    records = records_in([item for item in items if isinstance(item, BatchSlice)])
    done = processor.process(records, Exclusions(), events, NOW)
    writer = RowsWriter(1 << 20)
    try:
        writer.add(done.rows, 1 << 20, events)
        writer.write(events)
        files = writer.files()
    finally:
        writer.close()
    dead_letters = write_files(side, dead_letter_rows(done.dead_letters, identity, "run", NOW))
    entry = Entry(0, 0, len(sent), rows=len(done.rows), dead_letters=len(done.dead_letters))
    said = OffsetCommit(identity, {0: 0}, {0: len(sent)}, ledger_summary((entry,)))
    commit(side, dead_letters, said)
    commit(events, files, said)
    return Landed(events.refresh(), side.refresh())
