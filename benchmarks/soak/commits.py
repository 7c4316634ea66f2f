"""Committing small synthetic batches as ingest does: dead letters' offsets, then rows, offsets and ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import polars as pl
import pyarrow as pa

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.contract.targets import iceberg
from pipeline.ingest.commit.tables import IngestTables
from pipeline.kafka.identity import TopicIdentity
from pipeline.ledger.model import Entry, ledger_summary
from pipeline.tables.catalog import TableMissingError, load_table
from pipeline.tables.commit import RUN_ID_KEY, OffsetCommit, commit
from pipeline.tables.data_files.write import write_hours
from pipeline.tables.layout import events_table
from pipeline.tables.offsets import committed_offsets

PARTITIONS = 4
IDENTITY = TopicIdentity("cluster", "soak", "topic", tuple(range(PARTITIONS)))


def committed_batches(cell: Cell, product: Product, rows: int) -> int:
    """Return how many batches of `rows` are committed."""
    try:
        offsets = committed_offsets(load_table(cell, events_table(product.name)))
    except TableMissingError:
        return 0
    return 0 if offsets is None else offsets.next[0] // rows


class BatchWriter:
    """Commits one batch after the other, as an ingest that goes on does: the contract is read once."""

    def __init__(self, cell: Cell, product: Product) -> None:
        self._tables = IngestTables(cell, product)
        self._columns = iceberg.events_schema(product)

    def commit(self, number: int, hours: Sequence[datetime]) -> None:
        """Commit batch `number`: a row in each of `hours`, all of partition 0; the others hold markers."""
        events, dead_letters = self._tables.load()
        size = len(hours)
        start, end = number * size, (number + 1) * size
        entries = tuple(
            Entry(p, start, end, rows=0 if p else size, control=size if p else 0)
            for p in IDENTITY.partitions
        )
        first, ends = dict.fromkeys(IDENTITY.partitions, 0), dict.fromkeys(IDENTITY.partitions, end)
        summary = {**ledger_summary(entries), RUN_ID_KEY: "soak"}
        files = write_hours(events, [_rows(self._columns, start, hours)])
        commit(dead_letters, (), OffsetCommit(IDENTITY, first, ends, summary))
        commit(events, files, OffsetCommit(IDENTITY, first, ends, summary))


def _rows(columns: pa.Schema, start: int, hours: Sequence[datetime]) -> pl.DataFrame:
    """Return a row for each of `hours`; the payload's columns are null."""
    at = pl.Series(list(hours), dtype=pl.Datetime("us", "UTC"))
    frame = pl.DataFrame({"n": range(start, start + len(hours)), "at": at}).with_columns(
        _topic=pl.lit(IDENTITY.topic),
        _topic_id=pl.lit(IDENTITY.topic_id),
        _topic_partition=pl.lit(0, pl.Int32),
        _offset=pl.col("n"),
        _record_time=pl.col("at"),
        _ingested_at=pl.col("at"),
        _run_id=pl.lit("soak"),
        _uuid=pl.col("n").cast(pl.String),
        _key=pl.col("n").cast(pl.String),
        _event_time=pl.col("at") + pl.duration(seconds=pl.col("n") % 3600),
        _schema_version=pl.lit(1, pl.Int32),
        _late=pl.lit(value=False),
    )
    empty = pl.from_arrow(columns.empty_table())
    if not isinstance(empty, pl.DataFrame):
        raise TypeError("a table becomes a frame")
    return pl.concat([empty, frame.drop("n", "at")], how="diagonal_relaxed").select(columns.names)
