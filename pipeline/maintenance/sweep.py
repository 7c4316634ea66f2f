"""Deleting what killed writers left: files below a table's folder that no snapshot ever named."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from pyarrow.fs import FileSelector, FileType
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.table import Table

from pipeline.errors import TerminalError
from pipeline.failpoints import failpoint
from pipeline.maintenance.orphans import OrphanPlan, StoredFile, plan_orphans
from pipeline.maintenance.plan import MaintenancePolicy

_LOOKS = 3


class OrphansUnsureError(TerminalError):
    """What a table names and what its folder holds do not fit together; no file was deleted."""


def plan_sweep(table: Table, now: datetime, policy: MaintenancePolicy) -> OrphanPlan:
    """Return what `sweep` would delete.

    Lists the table's folder, and then reads all manifests of all retained snapshots. Files are looked at
    again where others changed the table meanwhile.

    Raises:
        OrphansUnsureError: files that the table names are not in its folder, or the folder holds
            metadata of another table.
        OSError: the folder cannot be listed.
    """
    for _ in range(_LOOKS):
        stored = tuple(_stored(table))
        table = table.refresh()
        try:
            plan = plan_orphans(stored, set(_named(table)), now, policy.orphan_age)
        except FileNotFoundError:
            # Expired meanwhile.
            table = table.refresh()
            continue
        # What was committed since the folder was listed is named and not listed.
        plan = OrphanPlan(plan.orphans, plan.young, tuple(_absent(table, plan.missing)))
        if not plan.missing:
            _check_foreign(table, plan.orphans)
            return plan
        table = table.refresh()
    raise OrphansUnsureError(
        "files that its snapshots name are not in its folder, or it changes too fast to tell.",
        subject=".".join(table.name()),
        remedy="Nothing was deleted. See that its data files are there; then maintain it again.",
    )


def sweep(table: Table, now: datetime, policy: MaintenancePolicy) -> OrphanPlan:
    """Delete orphan files of `table`, and return which they were.

    Nothing that a retained snapshot, a tag or the list of metadata files names is deleted, and nothing
    younger than `orphan_age`, which must be longer than any run takes from writing a file to committing
    it. Safe beside writers, readers, expiry and itself; ended early, the same call does the rest.

    Raises: as `plan_sweep`; nothing was deleted.
    """
    plan = plan_sweep(table, now, policy)
    for file in plan.orphans:
        failpoint("maintenance.before_orphan")
        try:
            table.io.delete(_with_scheme(table, file.path))
        except FileNotFoundError:
            continue
    return plan


def _stored(table: Table) -> Iterator[StoredFile]:
    io = table.io
    if not isinstance(io, PyArrowFileIO):
        raise OrphansUnsureError(
            f"its folder cannot be listed through {type(io).__name__}.",
            subject=".".join(table.name()),
            remedy="Nothing was deleted. Use PyIceberg's PyArrowFileIO, which is its default.",
        )
    scheme, netloc, path = io.parse_location(table.location(), io.properties)
    selector = FileSelector(path, allow_not_found=True, recursive=True)
    for info in io.fs_by_scheme(scheme, netloc).get_file_info(selector):
        if info.type is FileType.File:
            yield StoredFile(info.path, info.size, info.mtime.astimezone(UTC))


def _named(table: Table) -> Iterator[str]:
    """Yield the paths of all files that the table's metadata leads to."""
    metadata = table.metadata
    yield _path(table, table.metadata_location)
    for version in metadata.metadata_log:
        yield _path(table, version.metadata_file)
    for statistics in (*metadata.statistics, *metadata.partition_statistics):
        yield _path(table, statistics.statistics_path)
    seen: set[str] = set()
    for snapshot in metadata.snapshots:
        yield _path(table, snapshot.manifest_list)
        for manifest in snapshot.manifests(table.io):
            if manifest.manifest_path in seen:
                continue
            seen.add(manifest.manifest_path)
            yield _path(table, manifest.manifest_path)
            for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True):
                yield _path(table, entry.data_file.file_path)


def _absent(table: Table, paths: Iterable[str]) -> Iterator[str]:
    """Yield those of `paths` that are named by what is current and are not there.

    Old metadata files are deleted by the commits that push them out of the list, so that some may be
    gone already: nobody needs them.
    """
    for path in paths:
        if path.endswith(".metadata.json") and path != _path(table, table.metadata_location):
            continue
        if not table.io.new_input(_with_scheme(table, path)).exists():
            yield path


def _check_foreign(table: Table, orphans: Iterable[StoredFile]) -> None:
    """Refuse where the folder holds another table's metadata: this one was made over a lost one."""
    for file in orphans:
        if not file.path.endswith(".metadata.json"):
            continue
        try:
            with table.io.new_input(_with_scheme(table, file.path)).open() as stream:
                uuid = json.loads(stream.read()).get("table-uuid")
        except FileNotFoundError:
            # Another sweep was faster, or the writer whose commit came too late.
            continue
        except ValueError:
            # Half written by somebody who was killed.
            continue
        if uuid != str(table.metadata.table_uuid):
            raise OrphansUnsureError(
                f"its folder holds the metadata of another table, {uuid}: {file.path}.",
                subject=".".join(table.name()),
                remedy="Nothing was deleted. The catalog may have been lost, and this table made over "
                "it: recover the other one, or move its files away.",
            )


def _path(table: Table, location: str) -> str:
    return PyArrowFileIO.parse_location(location, table.io.properties)[2]


def _with_scheme(table: Table, path: str) -> str:
    location = table.location()
    return location[: len(location) - len(_path(table, location))] + path
