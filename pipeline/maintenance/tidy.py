"""Keeping a table that is written a row at a time quick to read, by those who write it."""

from __future__ import annotations

from contextlib import suppress

from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table import Table

from pipeline.clock import Clock, utc_now
from pipeline.maintenance.compact import compact
from pipeline.maintenance.expire import expire, plan_expiry
from pipeline.maintenance.plan import MaintenancePolicy
from pipeline.tables.data_files.rewrite import RewriteConflictError

FILES = 32
"""A table is tidied when it has so many data files: reading it opens that many at most."""
POLICY = MaintenancePolicy(min_files=FILES, min_manifests=FILES)
TOTAL_FILES = "total-data-files"


def tidy(table: Table, clock: Clock = utc_now) -> bool:
    """Make one file of `table` if it has `FILES` or more, and expire its old snapshots; tell whether.

    Rows are what they were. When somebody else tidies it at the same time, one of them does it. Looks at
    the metadata of `table` as it was loaded.

    Raises:
        WarehouseUnavailableError: files could not be written; the rows are there all the same.
    """
    snapshot = table.current_snapshot()
    summary = snapshot.summary if snapshot else None
    if summary is None or int(summary.additional_properties.get(TOTAL_FILES, 0)) < FILES:
        return False
    with suppress(RewriteConflictError, CommitFailedException):
        compact(table, POLICY)
        table = table.refresh()
        expire(table, plan_expiry(table, clock(), POLICY))
    return True
