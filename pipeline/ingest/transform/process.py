"""From records to rows, dead letters and counts, a part of a micro-batch at a time. Writes nothing."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import polars as pl
from pyiceberg.table import Table

from pipeline.contract.model import Product
from pipeline.contract.targets import iceberg
from pipeline.contract.targets.rules import compile_rules
from pipeline.ingest.dedup.deduplicate import DEFAULT_BYTES, Deduplicator
from pipeline.ingest.transform.decode import Decoder
from pipeline.ingest.transform.enrich import Enricher
from pipeline.ingest.transform.exclude import Exclusions, exclude
from pipeline.ingest.transform.frame import ROW
from pipeline.ingest.transform.gates.gate import gate
from pipeline.ingest.transform.gates.key_order import KeyOrder
from pipeline.ingest.transform.gates.rules import broken_rules
from pipeline.ingest.transform.held_back import raise_if_held_back
from pipeline.ingest.transform.records import DeadLetter, Reason
from pipeline.kafka.identity import TopicIdentity
from pipeline.kafka.records import Records
from pipeline.schemas.registry import Registry


@dataclass(frozen=True)
class ProcessedRecords:
    """What some records become.

    Attributes:
        rows: new rows of events, in the table's columns.
        dead_letters: records that are dead letters and are not in the table yet.
        delivered, stored, duplicates: records, those already stored as dead letters, and those whose uuid
            is a row already, by partition.
        late, invalid, out_of_order: what is told of rows in pipeline.ledger.model, by partition.
        rules: rows that break a business rule, by rule.
        singly: events that were decoded one by one, whatever became of them.
    """

    rows: pl.DataFrame
    dead_letters: list[DeadLetter]
    delivered: Mapping[int, int]
    stored: Mapping[int, int]
    duplicates: Mapping[int, int]
    late: Mapping[int, int]
    invalid: Mapping[int, int]
    out_of_order: Mapping[int, int]
    rules: Mapping[str, int]
    singly: int = 0


class Processor:
    """Carries a product's records through decode, enrich, gate and de-duplicate.

    Records of one partition must come in the order of their offsets. Not safe for use by several
    threads.
    """

    def __init__(
        self,
        product: Product,
        registry: Registry,
        identity: TopicIdentity,
        run_id: str,
        uuid_bytes: int = DEFAULT_BYTES,
    ) -> None:
        self._product = product
        self._decoder = Decoder(product, registry, identity, run_id)
        self._enricher = Enricher(product)
        self._columns = iceberg.events_schema(product).names
        self._rules = compile_rules(product)
        self._key_order = KeyOrder()
        self._uuid_bytes = uuid_bytes
        self.deduplicator = Deduplicator(uuid_bytes)

    @property
    def reference_versions(self) -> Mapping[str, str]:
        """Reference name -> digest of the data in use."""
        return self._enricher.versions

    @property
    def unlisted(self) -> int:
        """How many versions were met that the contract does not list."""
        return self._decoder.unlisted

    def with_empty_state(self) -> Processor:
        """Return a processor of the same contract, schemas and reference data that has seen no event."""
        twin = copy.copy(self)
        twin._key_order = KeyOrder()  # noqa: SLF001 - of its own class
        twin.deduplicator = Deduplicator(self._uuid_bytes)
        return twin

    def forget(self) -> None:
        """Forget the events seen: they are not committed, and come again."""
        self.deduplicator.forget()
        self._key_order.forget()

    def process(
        self, records: Records, exclusions: Exclusions, events: Table, ingested_at: datetime
    ) -> ProcessedRecords:
        """Process `records`.

        Those that `exclusions` names are dead letters whatever is in them and whatever the gates say
        today; those of them that are stored already are not among `dead_letters`.

        Raises:
            HeldBackError: some of the records are to wait for the contract.
        """
        taken = exclude(records, exclusions)
        frame, dead_letters, singly = self._decode_and_gate(taken.remaining, ingested_at)
        if self._product.unlisted == "wait":
            raise_if_held_back(dead_letters)
        fresh, duplicates = self.deduplicator.split(frame, events)
        broken = broken_rules(fresh, self._rules)
        partitions = fresh.get_column("_topic_partition").to_numpy()
        return ProcessedRecords(
            # Without the column of what is kept whole, unless something is.
            rows=fresh.select(name for name in self._columns if name in fresh.columns),
            dead_letters=[*taken.dead_letters, *dead_letters],
            delivered=_by_partition(records.partition),
            stored=taken.stored,
            duplicates=_by_partition(duplicates.get_column("_topic_partition").to_numpy()),
            late=_by_partition(partitions[fresh.get_column("_late").to_numpy()]),
            invalid=_by_partition(partitions[broken.rows.to_numpy()]),
            out_of_order=_by_partition(partitions[self._key_order.watch(fresh)]),
            rules=broken.by_rule,
            singly=singly,
        )

    def dead_letters_of(
        self, records: Records, exclusions: Exclusions, ingested_at: datetime
    ) -> list[DeadLetter]:
        """Return the dead letters among `records`, without those that `exclusions` says are stored."""
        taken = exclude(records, exclusions)
        _, dead_letters, _ = self._decode_and_gate(taken.remaining, ingested_at)
        return [*taken.dead_letters, *dead_letters]

    def _decode_and_gate(
        self, records: Records, ingested_at: datetime
    ) -> tuple[pl.DataFrame, list[DeadLetter], int]:
        decoded = self._decoder.decode(records, ingested_at)
        gated = gate(self._enricher.enrich(decoded.frame), self._product.gates)
        refused = [
            DeadLetter(records.record(row), Reason(reason), detail)
            for row, reason, detail in gated.refused.select(ROW, "reason", "detail").iter_rows()
        ]
        return gated.frame, [*decoded.dead_letters, *refused], decoded.singly


def _by_partition(partitions: npt.NDArray[np.int32]) -> Mapping[int, int]:
    found, counts = np.unique(partitions, return_counts=True)
    return Counter(dict(zip(found.tolist(), counts.tolist(), strict=True)))
