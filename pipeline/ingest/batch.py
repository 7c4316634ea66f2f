"""One micro-batch from records to rows, dead letters and the books' entries. Writes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl
import pyarrow as pa
from pyiceberg.table import Table

from pipeline.contract.model import Product
from pipeline.contract.targets import avro, iceberg
from pipeline.contract.targets import pandera as pandera_target
from pipeline.ingest.decode import Decoder
from pipeline.ingest.deduplicate import Deduplicator
from pipeline.ingest.enrich import Enricher
from pipeline.ingest.frame import ROW, event_frame, event_rows, letter_rows
from pipeline.ingest.gate import broken_rules, gate
from pipeline.ingest.model import DeadLetter, RawRecord, Reason
from pipeline.ingest.plan import Range
from pipeline.kafka.topics import TopicIdentity
from pipeline.ledger.model import Entry
from pipeline.schemas.registry import Registry

Coordinate = tuple[int, int]
"""(partition, offset)"""


@dataclass(frozen=True)
class Processed:
    """What a micro-batch becomes.

    Attributes:
        rows: new rows of events, in the table's columns.
        kept: the frame that `rows` was made of, for the de-duplicator.
        letters: new rows of dead letters.
        entries: one a range, and they balance.
        reasons, rules: dead letters by reason; broken business rules by rule.
        late: rows past the freshness gate that the contract allows.
    """

    rows: pa.Table
    kept: pl.DataFrame
    letters: pa.Table
    entries: tuple[Entry, ...]
    reasons: Mapping[str, int]
    rules: Mapping[str, int]
    late: int


class Processor:
    """Carries a product's micro-batches through decode, enrich, gate and de-duplicate."""

    def __init__(
        self, product: Product, registry: Registry, identity: TopicIdentity, run_id: str
    ) -> None:
        self._product = product
        self._identity = identity
        self._run_id = run_id
        self._decoder = Decoder(product, registry, identity)
        self._enricher = Enricher(product)
        self._columns = iceberg.events_schema(product)
        names = [field["name"] for field in avro.reader_schema(product)["fields"]]
        self._payload_columns = pa.schema([self._columns.field(name) for name in names])
        self._rules = pandera_target.rules_schema(product)
        self.deduplicator = Deduplicator()

    @property
    def reference_versions(self) -> Mapping[str, str]:
        """Reference name -> digest of the data in use."""
        return self._enricher.versions

    def process(
        self,
        records: Sequence[RawRecord],
        ranges: Sequence[Range],
        held: frozenset[Coordinate],
        events: Table,
        ingested_at: datetime,
    ) -> Processed:
        """Process the records of `ranges`.

        `held` are the coordinates that the dead letters table already has: they are dead letters
        whatever the gates say today, and are not written again.
        """
        frame, failed = self._judge(records, ingested_at)
        if held:
            mine = pl.DataFrame(
                sorted(held),
                schema={"_topic_partition": pl.Int32, "_offset": pl.Int64},
                orient="row",
            )
            frame = frame.join(mine, on=["_topic_partition", "_offset"], how="anti")
        fresh, duplicates = self.deduplicator.split(frame, events)
        new = [x for x in failed if (x.record.partition, x.record.offset) not in held]
        dead = held | {(x.record.partition, x.record.offset) for x in new}
        return Processed(
            rows=event_rows(fresh, self._columns),
            kept=fresh,
            letters=letter_rows(new, self._identity, self._run_id, ingested_at),
            entries=_entries(ranges, records, fresh, duplicates, dead),
            reasons=Counter(x.reason.value for x in new),
            rules=broken_rules(fresh, self._rules),
            late=int(fresh.get_column("_late").sum()),
        )

    def letters_of(
        self, records: Sequence[RawRecord], settled: frozenset[Coordinate], ingested_at: datetime
    ) -> pa.Table:
        """Return the dead letters among `records`, without those whose coordinates are `settled`."""
        _, failed = self._judge(records, ingested_at)
        new = [x for x in failed if (x.record.partition, x.record.offset) not in settled]
        return letter_rows(new, self._identity, self._run_id, ingested_at)

    def _judge(
        self, records: Sequence[RawRecord], ingested_at: datetime
    ) -> tuple[pl.DataFrame, list[DeadLetter]]:
        decoded = self._decoder.decode(records)
        frame = event_frame(
            decoded, self._payload_columns, self._identity, self._run_id, ingested_at
        )
        gated = gate(self._enricher.enrich(frame), self._product.gates)
        refused = [
            DeadLetter(decoded.records[row], Reason(reason), detail)
            for row, reason, detail in gated.refused.select(ROW, "reason", "detail").iter_rows()
        ]
        return gated.frame, [*decoded.letters, *refused]


def _entries(
    ranges: Sequence[Range],
    records: Sequence[RawRecord],
    fresh: pl.DataFrame,
    duplicates: pl.DataFrame,
    dead: frozenset[Coordinate] | set[Coordinate],
) -> tuple[Entry, ...]:
    rows = Counter(fresh.get_column("_topic_partition").to_list())
    twins = Counter(duplicates.get_column("_topic_partition").to_list())
    letters = Counter(partition for partition, _ in dead)
    delivered = {(record.partition, record.offset) for record in records}
    accounted = Counter(partition for partition, _ in delivered | dead)
    return tuple(
        Entry(
            partition=r.partition,
            start=r.start,
            end=r.end,
            rows=rows[r.partition],
            duplicates=twins[r.partition],
            dead_letters=letters[r.partition],
            # The fetch has passed `end`, so what was not delivered is not there for a reader.
            gaps=len(r) - accounted[r.partition],
        )
        for r in ranges
    )
