"""Keeping a table that is written a row at a time quick to read, by those who write it."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from pyiceberg.exceptions import CommitFailedException
from pyiceberg.manifest import ManifestFile
from pyiceberg.table import Table

from pipeline.clock import Clock, utc_now
from pipeline.maintenance.compact import compact
from pipeline.maintenance.expire import expire, plan_expiry
from pipeline.maintenance.plan import MaintenancePolicy
from pipeline.tables.data_files.manifests import size_class
from pipeline.tables.data_files.rewrite import RewriteConflictError

MANIFESTS = 32
"""A table is tidied when it has so many manifests: every addition brings one, with a file."""
POLICY = MaintenancePolicy(min_files=8, min_manifests=MANIFESTS)


def tidy(table: Table, clock: Clock = utc_now) -> bool:
    """Make one file of each partition's small ones, and expire snapshots, from `MANIFESTS` on; tell whether.

    Rows are what they were. When somebody else tidies it at the same time, one of them does it. Looks at
    the metadata of `table` as it was loaded.

    Raises:
        WarehouseUnavailableError: files could not be written; the rows are there all the same.
    """
    snapshot = table.current_snapshot()
    if snapshot is None or len(_small(snapshot.manifests(table.io))) < MANIFESTS:
        return False
    with suppress(RewriteConflictError, CommitFailedException):
        compact(table, POLICY, whole=False)
        table = table.refresh()
        expire(table, plan_expiry(table, clock(), POLICY))
    return True


def _small(manifests: Iterable[ManifestFile]) -> list[ManifestFile]:
    return [one for one in manifests if size_class(one.manifest_length) == 0]
