"""Reading changes of events that expired before changes were kept: of format 5 and before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from itertools import groupby

from pyiceberg.table import Table

from pipeline.ledger.archived import Archive
from pipeline.ledger.model import Counts
from pipeline.table_changes.model import Change, Job, SourceOffsets
from pipeline.tables.integrity.reading import reading
from pipeline.tables.offsets import committed_offsets


def changes_before(archive: Archive, events: Table, sequence_number: int) -> Iterator[Change]:
    """Yield the changes of events before a sequence number, as far as the ledger table has their entries.

    What the ledger never kept is None: parent, operation and code.
    """
    topic = committed_offsets(events)
    if archive.table is None or topic is None:
        return
    with reading(archive.table):
        found = archive.table.scan(f"sequence_number < {sequence_number}").to_arrow().to_pylist()
    found.sort(key=lambda row: (row["sequence_number"], row["partition"], row["start"]))
    for number, rows in groupby(found, lambda row: row["sequence_number"]):
        entries = list(rows)
        first = entries[0]
        yield Change(
            table=events.name()[-1],
            snapshot_id=first["snapshot_id"],
            parent_id=None,
            sequence_number=number,
            committed_at=first["committed_at"],
            operation=None,
            job=Job.INGEST,
            run_id=first["run_id"],
            contract_version=first["contract_version"],
            added=sum(row["rows"] for row in entries),
            offsets=tuple(
                SourceOffsets(
                    topic.topic,
                    topic.topic_id,
                    row["partition"],
                    row["start"],
                    row["end"] - 1,
                    Counts(**{one.name: row[one.name] for one in fields(Counts)}),
                )
                for row in entries
                if row["end"] > row["start"]
            ),
        )
