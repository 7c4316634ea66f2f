"""A change: what one commit did to one table, and what it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

from pipeline.ledger.model import Counts


class Job(StrEnum):
    """What of Headwater made a commit."""

    INGEST = "ingest"
    ACCEPT_LOSS = "accept-loss"
    BUILD = "build"
    COMPACT = "compact"
    FILL = "fill"
    EVOLVE = "evolve"
    RETENTION = "retention"


@dataclass(frozen=True)
class SourceOffsets:
    """Offsets of one partition of a topic, both ends included, and what became of them."""

    topic: str
    topic_id: str
    partition: int
    first: int
    last: int
    counts: Counts

    def lineage(self) -> dict[str, Any]:
        """Return the source as an element of the column `lineage`."""
        return {
            "source": self.topic,
            "topic_id": self.topic_id,
            "partition": self.partition,
            "first_offset": self.first,
            "last_offset": self.last,
            "snapshot_id": None,
        }


@dataclass(frozen=True)
class SourceHour:
    """One hour that was built, and from how many rows of events."""

    hour: datetime
    rows: int


@dataclass(frozen=True)
class Change:
    """One snapshot of one table.

    Attributes:
        table: its name within the product.
        operation: Iceberg's.
        job: what of Headwater committed it; None: somebody else did.
        added, deleted, total: rows, as Iceberg's summary counts them; None where it does not.
        offsets: of an ingest's commit, those that it took in.
        hours: of a staging or of what published it, those that were built.
        tables: of these, the snapshots that they were computed from, by the tables' identifiers.
    """

    table: str
    snapshot_id: int
    parent_id: int | None
    sequence_number: int
    committed_at: datetime
    operation: str | None
    job: Job | None
    run_id: str | None = None
    contract_version: str | None = None
    code_version: str | None = None
    reference_versions: str | None = None
    wap_id: str | None = None
    added: int | None = None
    deleted: int | None = None
    total: int | None = None
    offsets: tuple[SourceOffsets, ...] = ()
    hours: tuple[SourceHour, ...] = ()
    tables: Mapping[str, int] = field(default_factory=dict)

    def rows(self) -> list[dict[str, Any]]:
        """Return its rows in the table of changes: one of each source, and at least one."""
        own = self._own()
        if self.offsets:
            return [own | _of_offsets(one) for one in self.offsets]
        lineage = [
            {"source": name, "snapshot_id": snapshot_id}
            for name, snapshot_id in self.tables.items()
        ]
        if self.hours:
            return [
                own | {"hour": one.hour, "source_rows": one.rows, "lineage": lineage}
                for one in self.hours
            ]
        return [own | {"lineage": lineage}]

    def _own(self) -> dict[str, Any]:
        return {
            "table": self.table,
            "snapshot_id": self.snapshot_id,
            "parent_id": self.parent_id,
            "sequence_number": self.sequence_number,
            "committed_at": self.committed_at,
            "operation": self.operation,
            "job": self.job,
            "run_id": self.run_id,
            "contract_version": self.contract_version,
            "code_version": self.code_version,
            "reference_versions": self.reference_versions,
            "wap_id": self.wap_id,
            "added_rows": self.added,
            "deleted_rows": self.deleted,
            "total_rows": self.total,
        }


def _of_offsets(source: SourceOffsets) -> dict[str, Any]:
    counts = {one.name: getattr(source.counts, one.name) for one in fields(Counts)}
    return {
        "source_topic": source.topic,
        "source_topic_id": source.topic_id,
        "partition": source.partition,
        "first_offset": source.first,
        "last_offset": source.last,
        "offset": source.last,
        "lineage": [source.lineage()],
        **counts,
    }
