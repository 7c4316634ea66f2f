"""What a feature table was last derived from, as the commit that did it tells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import Field, ValidationError
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Operation, Snapshot

from pipeline.batch.wap.stagings import staged_snapshot
from pipeline.contract.model import Model
from pipeline.table_changes.staged_summary import DERIVED_FROM_KEY, PUBLISHED_KEY, WAP_ID_KEY
from pipeline.tables.snapshots import main_history

MOST_PARTITIONS = 64
"""So many partitions are named at most: the summary is written anew by every commit until it expires."""

Partition = tuple[str | None, ...]
"""A partition by its values, each as its text; null is None."""


class DerivedFrom(Model):
    """What the rows of a feature table are those of, after it was derived.

    Attributes:
        history_snapshot_id: main's of the history that was read.
        history_schema_id: the history's columns then.
        base_snapshot_id: main's of the feature table that it was derived beside; None for none.
        builds: digest of the builds that counted, each with its hour.
        keys: columns that a row is known by, those of the partitions last.
        partitions: those that hold each key's newest row by those builds; None: all that there are.
        path: how the rows were come by, and why so.
    """

    history_snapshot_id: int | None
    history_schema_id: int
    base_snapshot_id: int | None
    builds: str
    keys: tuple[str, ...]
    partitions: tuple[Partition, ...] | None = Field(max_length=MOST_PARTITIONS)
    path: str


def last_derived(table: Table) -> tuple[DerivedFrom, int | None] | None:
    """Return what a feature table's main was last derived from, and the id of its columns then.

    None where main has changed otherwise since, or changed between being read for it and the commit, or
    where nothing retained tells. That files were compacted changes nothing.
    """
    commit = next((one for one in main_history(table) if not _is(one, Operation.REPLACE)), None)
    if commit is None:
        return None
    made: Snapshot | None = commit
    summary = _summary(commit)
    if DERIVED_FROM_KEY not in summary and PUBLISHED_KEY in summary:
        # A cherry-picked snapshot has none of the keys: what it was made from has all.
        made = staged_snapshot(table, summary[PUBLISHED_KEY])
    if made is None:
        return None
    try:
        found = DerivedFrom.model_validate_json(_summary(made).get(DERIVED_FROM_KEY, ""))
    except ValidationError:
        return None
    if not is_compacted(table, commit.parent_snapshot_id, found.base_snapshot_id):
        return None
    return found, made.schema_id


def is_compacted(table: Table, snapshot_id: int | None, since: int | None) -> bool:
    """Tell whether a snapshot has the rows of `since`: files alone were rewritten between them."""
    return all(
        one is not None and _is(one, Operation.REPLACE) for one in _back(table, snapshot_id, since)
    )


def is_added(history: Table, snapshot_id: int | None, since: int | None, wap_id: str) -> bool:
    """Tell whether a snapshot has the rows of `since`, and beside them those of one staging at most."""
    return all(
        one is not None
        and (
            _is(one, Operation.REPLACE)
            or (_is(one, Operation.APPEND) and _published(one) == wap_id)
        )
        for one in _back(history, snapshot_id, since)
    )


def _back(table: Table, snapshot_id: int | None, since: int | None) -> Iterator[Snapshot | None]:
    """Yield a snapshot and those before it, down to the one after `since`; None where that is not told."""
    at = snapshot_id
    while at != since:
        snapshot = None if at is None else table.metadata.snapshot_by_id(at)
        yield snapshot
        if snapshot is None:
            return
        at = snapshot.parent_snapshot_id


def _published(snapshot: Snapshot) -> str | None:
    # On an unmoved main a staging is not copied: it becomes main's snapshot itself.
    summary = _summary(snapshot)
    return summary.get(PUBLISHED_KEY, summary.get(WAP_ID_KEY))


def _is(snapshot: Snapshot, operation: Operation) -> bool:
    return snapshot.summary is not None and snapshot.summary.operation is operation


def _summary(snapshot: Snapshot) -> Mapping[str, str]:
    return snapshot.summary.additional_properties if snapshot.summary else {}
