"""Data files by the hour that they hold: of tables partitioned by the hour of one column."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from pyiceberg.expressions import AlwaysTrue
from pyiceberg.manifest import ManifestEntryStatus, ManifestFile
from pyiceberg.table import FileScanTask, Table
from pyiceberg.table.snapshots import Snapshot

from pipeline.errors import TerminalError
from pipeline.tables.integrity.reading import reading

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NotHourlyError(TerminalError):
    """The table is not partitioned by hour alone."""


def files_by_hour(
    table: Table, since: datetime | None = None, before: datetime | None = None
) -> dict[datetime, list[FileScanTask]]:
    """Return the files of main's current snapshot by the hour that they hold, oldest hour first.

    Of the hours from `since` on, and of those before `before`, if these are given: then only manifests that
    may have some are opened. No data file is read.

    Raises:
        NotHourlyError: the partitioning is another.
    """
    if table.current_snapshot() is None:
        return {}
    column = _hourly_column(table)
    terms = [
        *([] if since is None else [f"{column} >= '{since.isoformat()}'"]),
        *([] if before is None else [f"{column} < '{before.isoformat()}'"]),
    ]
    with reading(table):
        tasks = list(table.scan(" and ".join(terms) or AlwaysTrue()).plan_files())
    found: dict[datetime, list[FileScanTask]] = {}
    for task in tasks:
        hour = _hour_at(task.file.partition[0])
        if before is None or hour < before:
            found.setdefault(hour, []).append(task)
    return dict(sorted(found.items()))


def files_of(table: Table, snapshot_id: int | None, hours: Collection[datetime]) -> frozenset[str]:
    """Return the paths of the files that a snapshot has of some hours, none where there is no snapshot.

    Raises:
        NotHourlyError: the partitioning is another.
    """
    if snapshot_id is None or not hours:
        return frozenset()
    column, wanted = _hourly_column(table), set(hours)
    within = f"{column} >= '{min(hours).isoformat()}' and {column} <= '{max(hours).isoformat()}'"
    with reading(table):
        tasks = list(table.scan(within, snapshot_id=snapshot_id).plan_files())
    return frozenset(
        task.file.file_path for task in tasks if _hour_at(task.file.partition[0]) in wanted
    )


def added_rows_by_hour(table: Table, snapshot: Snapshot) -> dict[datetime, int]:
    """Return how many rows of each hour `snapshot` has added; reads the manifests that it wrote alone.

    Raises:
        NotHourlyError: the partitioning is another.
    """
    _hourly_column(table)
    found: dict[datetime, int] = {}
    with reading(table):
        for manifest in snapshot.manifests(table.io):
            if manifest.added_snapshot_id != snapshot.snapshot_id:
                continue
            for entry in manifest.fetch_manifest_entry(table.io):
                if entry.status is ManifestEntryStatus.ADDED:
                    hour = _hour_at(entry.data_file.partition[0])
                    found[hour] = found.get(hour, 0) + entry.data_file.record_count
    return found


def oldest_hour(table: Table) -> datetime | None:
    """Return the oldest hour that main's current snapshot has a file of, None where it has none.

    Told by the list of manifests: none of them is opened.

    Raises:
        NotHourlyError: the partitioning is another.
    """
    snapshot = table.current_snapshot()
    if snapshot is None:
        return None
    _hourly_column(table)
    with reading(table):
        manifests = snapshot.manifests(table.io)
    live = (one for one in manifests if one.added_files_count or one.existing_files_count)
    found = [bounds[0] for one in live if (bounds := partition_bounds(one)) is not None]
    return _hour_at(min(found)) if found else None


def partition_bounds(manifest: ManifestFile) -> tuple[int, int] | None:
    """Return the least and the greatest hour, day or month since 1970 that a manifest names files of.

    None where it does not say, or its files are partitioned by other than one such field.
    """
    fields = manifest.partitions or []
    if len(fields) != 1 or fields[0].lower_bound is None or fields[0].upper_bound is None:
        return None
    low, high = (
        int.from_bytes(bound, "little", signed=True)
        for bound in (fields[0].lower_bound, fields[0].upper_bound)
    )
    return low, high


def _hourly_column(table: Table) -> str:
    fields = table.spec().fields
    if len(fields) != 1 or str(fields[0].transform) != "hour":
        raise NotHourlyError(
            f"it is partitioned by {table.spec()}, not by one hour transform.",
            subject=".".join(table.name()),
            remedy="Restore the partitioning that docs/reference/format.md gives.",
        )
    return table.schema().find_column_name(fields[0].source_id) or ""


def _hour_at(number: int) -> datetime:
    return _EPOCH + timedelta(hours=number)
