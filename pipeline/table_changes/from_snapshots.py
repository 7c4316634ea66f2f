"""Reading changes from a table's metadata. Opens no other file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot

from pipeline.ledger.model import SUMMARY_KEY, from_summary
from pipeline.table_changes.model import Change, Job, SourceHour, SourceOffsets
from pipeline.table_changes.staged_summary import (
    DERIVED_FROM_KEY,
    INPUT_SNAPSHOTS_KEY,
    PUBLISHED_KEY,
    SOURCE_KEY,
    WAP_ID_KEY,
    staged_hours,
)
from pipeline.tables.commit import (
    CODE_VERSION_KEY,
    CONTRACT_VERSION_KEY,
    LOSS_REASON_KEY,
    REFERENCE_VERSIONS_KEY,
    RUN_ID_KEY,
)
from pipeline.tables.data_files.rewrite import MAINTENANCE_KEY
from pipeline.tables.layout import events_table
from pipeline.tables.offsets import CommittedOffsets, committed_offsets


def changes_of(table: Table, after: int = 0) -> Iterator[Change]:
    """Yield the changes of a table's retained snapshots after sequence number `after`, oldest first.

    Those off main too: what is staged, and what main was rolled back from. A published staging has two,
    unless main had not moved.
    """
    topic = committed_offsets(table)
    stagings = {
        said[WAP_ID_KEY]: said
        for one in table.metadata.snapshots
        if WAP_ID_KEY in (said := _summary(one))
    }
    new = (one for one in table.metadata.snapshots if (one.sequence_number or 0) > after)
    for snapshot in sorted(new, key=lambda one: one.sequence_number or 0):
        yield _change(table, snapshot, topic, stagings)


def _change(
    table: Table,
    snapshot: Snapshot,
    topic: CommittedOffsets | None,
    stagings: Mapping[str, Mapping[str, str]],
) -> Change:
    summary = _summary(snapshot)
    product, name = table.name()[-2:]
    wap_id = summary.get(PUBLISHED_KEY) or summary.get(WAP_ID_KEY)
    # A cherry-picked snapshot has none of the keys: what it was made from has all.
    said = summary if wap_id is None else stagings.get(wap_id, summary)
    hours = staged_hours(said)
    return Change(
        table=name,
        snapshot_id=snapshot.snapshot_id,
        parent_id=snapshot.parent_snapshot_id,
        sequence_number=snapshot.sequence_number or 0,
        committed_at=datetime.fromtimestamp(snapshot.timestamp_ms / 1000, UTC),
        operation=None if snapshot.summary is None else snapshot.summary.operation.value,
        job=_job(summary, wap_id),
        run_id=said.get(RUN_ID_KEY),
        contract_version=said.get(CONTRACT_VERSION_KEY),
        code_version=said.get(CODE_VERSION_KEY) or None,
        reference_versions=said.get(REFERENCE_VERSIONS_KEY),
        wap_id=wap_id,
        added=int(summary.get("added-records", 0)),
        deleted=int(summary.get("deleted-records", 0)),
        total=_number(summary.get("total-records")),
        offsets=() if topic is None else tuple(_offsets(summary, topic)),
        hours=tuple(SourceHour(hour, source.rows) for hour, source in hours.items()),
        tables=_tables(product, name, said),
    )


def _offsets(summary: Mapping[str, str], topic: CommittedOffsets) -> Iterator[SourceOffsets]:
    for entry in from_summary(summary) or ():
        if entry.end > entry.start:
            yield SourceOffsets(
                topic.topic, topic.topic_id, entry.partition, entry.start, entry.end - 1, entry
            )


def _tables(product: str, name: str, summary: Mapping[str, str]) -> dict[str, int]:
    if DERIVED_FROM_KEY in summary:
        history = json.loads(summary[DERIVED_FROM_KEY]).get("history_snapshot_id")
        return {} if history is None else {f"{product}.{name}_history": history}
    if SOURCE_KEY not in summary:
        return {}
    inputs = json.loads(summary.get(INPUT_SNAPSHOTS_KEY, "{}"))
    return {events_table(product): int(summary[SOURCE_KEY]), **inputs}


def _job(summary: Mapping[str, str], wap_id: str | None) -> Job | None:
    if MAINTENANCE_KEY in summary:
        # A newer Headwater may know others.
        return next((one for one in Job if one == summary[MAINTENANCE_KEY]), None)
    if wap_id is not None:
        return Job.BUILD
    if LOSS_REASON_KEY in summary:
        return Job.ACCEPT_LOSS
    return Job.INGEST if SUMMARY_KEY in summary and RUN_ID_KEY in summary else None


def _summary(snapshot: Snapshot) -> Mapping[str, str]:
    return {} if snapshot.summary is None else snapshot.summary.additional_properties


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)
