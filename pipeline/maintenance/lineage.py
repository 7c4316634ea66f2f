"""Reading from a table's metadata which of its snapshots are held, and by what. Opens no other file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta

from pyiceberg.table import Table
from pyiceberg.table.refs import SnapshotRef
from pyiceberg.table.snapshots import Operation, Snapshot

from pipeline.maintenance.plan import LONGEST_RUN
from pipeline.maintenance.snapshots import Lineage, SnapshotAge
from pipeline.table_changes.staged_summary import WAP_ID_KEY
from pipeline.tables.commit import RUN_ID_KEY
from pipeline.tables.data_files.rewrite import MAINTENANCE_KEY
from pipeline.tables.layout import BASE_TAG, STAGING_TAG
from pipeline.tables.offsets import committed_offsets
from pipeline.tables.snapshots import main_history


def lineage_of(table: Table, now: datetime, archived_through: int | None = None) -> Lineage | None:
    """Return what holds the snapshots of `table`; None where nothing may expire.

    That is so while the offsets name a snapshot that main does not descend from: somebody must look.
    History must be whole to the snapshot that the offsets name, and to those on which stagings that may
    still be published were staged.
    """
    history = list(main_history(table))
    on_main = {one.snapshot_id for one in history}
    offsets = committed_offsets(table)
    if offsets is not None and offsets.snapshot_id not in on_main:
        return None
    whole_to = set(_bases(table, now))
    if offsets is not None:
        whole_to.add(offsets.snapshot_id)
    followers: list[Snapshot | None] = [None, *history][: len(history)]
    until = _current_until(table, on_main)
    return Lineage(
        history=[
            _age(
                one, until, carried=after is not None and offsets is not None and _is_ingests(after)
            )
            for one, after in zip(history, followers, strict=True)
        ],
        others=[
            _age(one, until) for one in table.metadata.snapshots if one.snapshot_id not in on_main
        ],
        protected=frozenset(ref.snapshot_id for ref in table.metadata.refs.values()),
        whole_to=frozenset(whole_to),
        archived_through=archived_through,
    )


def outdated_tags(table: Table, now: datetime) -> tuple[str, ...]:
    """Return the tags of `table` that are older than they themselves say they may become."""
    return tuple(
        name
        for name, ref in table.metadata.refs.items()
        if ref.max_ref_age_ms is not None
        and name != "main"
        and (at := _committed_at(table, ref)) is not None
        and at < now - timedelta(milliseconds=ref.max_ref_age_ms)
    )


def is_staged(snapshot: Snapshot) -> bool:
    """Whether a snapshot was written off main; it may have become main's since."""
    return snapshot.summary is not None and WAP_ID_KEY in snapshot.summary.additional_properties


def _bases(table: Table, now: datetime) -> Iterator[int]:
    """Yield the snapshots on which hours were staged that may still be published."""
    refs = table.metadata.refs
    for name, base in refs.items():
        kind, _, mark = name.partition("-")
        if kind != BASE_TAG:
            continue
        staged_at = _committed_at(table, refs.get(f"{STAGING_TAG}-{mark}", base))
        if staged_at is not None and staged_at >= now - LONGEST_RUN:
            yield base.snapshot_id


def _committed_at(table: Table, ref: SnapshotRef) -> datetime | None:
    snapshot = table.metadata.snapshot_by_id(ref.snapshot_id)
    return None if snapshot is None else _moment(snapshot.timestamp_ms)


def _current_until(table: Table, on_main: Collection[int]) -> Mapping[int, datetime]:
    """Return when main went on from each snapshot, as far as what it went on to is retained.

    A staging becomes main's when it is published, which is later than it was committed.
    """
    became = {one.snapshot_id: one.timestamp_ms for one in table.metadata.snapshot_log}
    found: dict[int, datetime] = {}
    for one in table.metadata.snapshots:
        # Spark, when it expires, forgets when older ones became main's.
        default = one.timestamp_ms if one.snapshot_id in on_main else None
        at = became.get(one.snapshot_id, default)
        if one.parent_snapshot_id is not None and at is not None:
            found[one.parent_snapshot_id] = _moment(at)
    return found


def _age(
    snapshot: Snapshot, until: Mapping[int, datetime], *, carried: bool = False
) -> SnapshotAge:
    return SnapshotAge(
        snapshot.snapshot_id,
        snapshot.sequence_number or 0,
        _moment(snapshot.timestamp_ms),
        carried,
        staged=is_staged(snapshot),
        current_until=until.get(snapshot.snapshot_id),
    )


def _moment(timestamp_ms: int) -> datetime:
    return datetime.fromtimestamp(timestamp_ms / 1000, UTC)


def _is_ingests(snapshot: Snapshot) -> bool:
    """Whether an ingest committed it: its append takes over all manifests, and merges none."""
    if snapshot.summary is None:
        return False
    summary = snapshot.summary.additional_properties
    return (
        snapshot.summary.operation is Operation.APPEND
        and RUN_ID_KEY in summary
        and MAINTENANCE_KEY not in summary
    )
