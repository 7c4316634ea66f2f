"""Events brought to tables without Kafka: by the writer and the commit of ingest."""

from __future__ import annotations

import polars as pl

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.contract.targets import iceberg
from pipeline.ingest.commit.tables import ensure_tables
from pipeline.ingest.transform.enrich import Enricher
from pipeline.kafka.identity import TopicIdentity
from pipeline.ledger.model import Entry, ledger_summary
from pipeline.tables.catalog import load_table
from pipeline.tables.commit import CONTRACT_VERSION_KEY, RUN_ID_KEY, OffsetCommit, commit
from pipeline.tables.data_files.write import write_hours
from pipeline.tables.layout import events_table

RUN_ID = "bench"
TOPIC_ID = "bench"


def as_events(frame: pl.DataFrame, product: Product, enricher: Enricher) -> pl.DataFrame:
    """Return `frame` with reference columns added, in the columns of the product's events table."""
    frame = enricher.enrich(frame)
    schema = pl.DataFrame(iceberg.events_schema(product).empty_table()).schema
    return frame.select(
        pl.col(name).cast(kind) if name in frame.columns else pl.lit(None, kind).alias(name)
        for name, kind in schema.items()
    )


class EventsTable:
    """A product's events table, made in a cell; its topic exists in its books alone.

    Attributes:
        ends: by partition, the offset that its next row has.
    """

    def __init__(self, cell: Cell, product: Product) -> None:
        self._cell, self._product = cell, product
        ensure_tables(cell, product)
        self.ends = [0 for _ in range(product.topic.partitions)]

    def commit(self, rows: pl.DataFrame) -> None:
        """Append rows in one commit. Partition by partition, their offsets go on from `ends`."""
        table = load_table(self._cell, events_table(self._product.name))
        files = write_hours(table, [rows])
        counts = dict(rows.group_by("_topic_partition").len().iter_rows())
        starts = self.ends
        self.ends = [start + counts.get(n, 0) for n, start in enumerate(starts)]
        entries = tuple(
            Entry(n, start, end, rows=end - start)
            for n, (start, end) in enumerate(zip(starts, self.ends, strict=True))
            if end > start
        )
        partitions = tuple(range(len(starts)))
        commit(
            table,
            files,
            OffsetCommit(
                identity=TopicIdentity("cluster", self._product.topic.name, TOPIC_ID, partitions),
                first=dict.fromkeys(partitions, 0),
                next=dict(enumerate(self.ends)),
                summary={
                    **ledger_summary(entries),
                    RUN_ID_KEY: RUN_ID,
                    CONTRACT_VERSION_KEY: self._product.version,
                },
            ),
        )
