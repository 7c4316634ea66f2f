"""Carrying out what is to be done to one table."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from pyiceberg.table import Table

from pipeline.cells import Cell
from pipeline.clock import Clock
from pipeline.contract.model import Product
from pipeline.errors import HeadwaterError
from pipeline.maintenance.compact import CompactionResult, compact
from pipeline.maintenance.expire import drop_outdated_tags, expire, plan_expiry
from pipeline.maintenance.need import DueStep, Step
from pipeline.maintenance.orphans import OrphanPlan
from pipeline.maintenance.plan import MaintenancePolicy
from pipeline.maintenance.retention.execute import delete_expired
from pipeline.maintenance.retention.plan import RetentionPlan
from pipeline.maintenance.state import keep_state, read_state
from pipeline.maintenance.sweep import sweep
from pipeline.maintenance.tables import data_files, policy_for
from pipeline.table_changes.before_expiry import kept_elsewhere
from pipeline.tables.errors import named_errors
from pipeline.tables.integrity.reading import reading
from pipeline.tables.snapshots import total_records

Result = TypeVar("Result")


@dataclass(frozen=True)
class MaintenanceResult:
    """What was done to one table.

    Attributes:
        hours_deleted, rows_deleted: hours of events that the contract keeps no longer, and their rows.
        files, into: small files that were rewritten, and what they became.
        snapshots: how many were let go.
        deleted: files that went with them.
        orphans, orphan_bytes: files that no snapshot named, which are deleted.
        snapshots_left: how many there are now.
        rows_before, rows_after, files_before, files_after, bytes_before, bytes_after: main's rows, data
            files and their bytes.
        due: why it was done; empty where it was done without being due.
    """

    table: str
    files: int
    into: int
    snapshots: int
    deleted: int
    orphans: int = 0
    orphan_bytes: int = 0
    snapshots_left: int = 0
    hours_deleted: int = 0
    rows_deleted: int = 0
    rows_before: int = 0
    rows_after: int = 0
    files_before: int = 0
    files_after: int = 0
    bytes_before: int = 0
    bytes_after: int = 0
    due: tuple[DueStep, ...] = ()


@dataclass
class TableMaintenance:
    """The steps of one table, carried out in their order. One that fails is noted in `failed`."""

    cell: Cell
    product: Product
    name: str
    table: Table
    steps: Collection[Step]
    policy: MaintenancePolicy
    clock: Clock
    failed: list[HeadwaterError]

    def run(self, due: tuple[DueStep, ...]) -> MaintenanceResult:
        """Carry them out; `due` says why, for who reads the result."""
        policy, now = policy_for(self.product, self.name, self.policy), self.clock()
        rows_before = total_records(self.table)
        files_before, bytes_before = data_files(self.table)
        expired = self._do(
            Step.RETENTION, lambda: self._delete_expired(policy, now), RetentionPlan(now, ())
        )
        compacted = self._do(
            Step.COMPACT, lambda: self._compact(policy, whole=not due), CompactionResult()
        )
        snapshots, deleted = self._do(Step.EXPIRE, lambda: self._expire(policy, now), (0, 0))
        swept = self._do(Step.SWEEP, lambda: self._sweep(policy, now), OrphanPlan((), 0, ()))
        table = self.table.refresh()
        files_after, bytes_after = data_files(table)
        return MaintenanceResult(
            self.name,
            compacted.files,
            compacted.into,
            snapshots,
            deleted,
            len(swept.orphans),
            swept.bytes,
            len(table.metadata.snapshots),
            len(expired.hours),
            expired.rows,
            rows_before,
            total_records(table),
            files_before,
            files_after,
            bytes_before,
            bytes_after,
            due,
        )

    def _do(self, step: Step, work: Callable[[], Result], nothing: Result) -> Result:
        if step not in self.steps:
            return nothing
        try:
            with named_errors(f"{self.cell.name}.{self.name}"), reading(self.table):
                return work()
        except HeadwaterError as error:
            self.failed.append(error)
            return nothing

    def _delete_expired(self, policy: MaintenancePolicy, now: datetime) -> RetentionPlan:
        horizon = policy.horizon(now)
        if horizon is None:
            return RetentionPlan(now, ())
        done = delete_expired(self.table, horizon, self.clock)
        left = read_state(self.cell, self.name).files_left
        if left is not None:
            # Else the files that are left would count as come since.
            keep_state(self.cell, self.name, files_left=max(0, left - done.files))
        self.table = self.table.refresh()
        return done

    def _compact(self, policy: MaintenancePolicy, *, whole: bool) -> CompactionResult:
        done = compact(self.table, policy, whole=whole)
        keep_state(self.cell, self.name, files_left=data_files(self.table.refresh())[0])
        return done

    def _expire(self, policy: MaintenancePolicy, now: datetime) -> tuple[int, int]:
        archived = kept_elsewhere(self.cell, self.product, self.name)
        table = drop_outdated_tags(self.table, now)
        snapshots = plan_expiry(table, now, policy, archived)
        return len(snapshots), expire(table, snapshots)

    def _sweep(self, policy: MaintenancePolicy, now: datetime) -> OrphanPlan:
        done = sweep(self.table.refresh(), now, policy)
        keep_state(self.cell, self.name, swept_at=now)
        return done
