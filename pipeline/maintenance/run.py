"""Maintaining the tables of a product, beside whatever else works on them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from uuid import uuid4

from pipeline.cells import Cell
from pipeline.clock import Clock, utc_now
from pipeline.contract.model import Product
from pipeline.errors import HeadwaterError
from pipeline.lineage.datasets import table_output
from pipeline.lineage.files import delete_old_lineage
from pipeline.lineage.queue.drain import drain
from pipeline.lineage.runs import ParentRun
from pipeline.lineage.told import product_run, told
from pipeline.maintenance.compact import plan_compaction
from pipeline.maintenance.execute import MaintenanceResult, TableMaintenance
from pipeline.maintenance.expire import plan_expiry
from pipeline.maintenance.need import DueStep, SkippedStep, Step, judge, plan_due
from pipeline.maintenance.plan import DEFAULT_POLICY, FileRewrite, MaintenancePolicy
from pipeline.maintenance.retention.execute import read_retention
from pipeline.maintenance.retention.plan import RetentionPlan
from pipeline.maintenance.sweep import plan_sweep
from pipeline.maintenance.tables import facts_of, load_tables, policy_for
from pipeline.tables.errors import named_errors
from pipeline.tables.integrity.reading import reading

_UPKEEP = "Deletes rows that are kept no longer, compacts files, expires snapshots, sweeps orphans."


@dataclass(frozen=True)
class MaintenancePlan:
    """What `maintain` would do to one table.

    Attributes:
        retention: hours to delete; None where rows are kept for ever.
        rewritings: files to rewrite.
        snapshots: those to let go.
        orphans: how many files no snapshot names, and `orphan_bytes` how large they are.
        due: what `maintain_due` would do of it now, and why.
        skipped: the steps that it would not do, and why not.
    """

    table: str
    retention: RetentionPlan | None
    rewritings: tuple[FileRewrite, ...]
    snapshots: tuple[int, ...]
    orphans: int = 0
    orphan_bytes: int = 0
    due: tuple[DueStep, ...] = ()
    skipped: tuple[SkippedStep, ...] = ()


def plan_maintenance(
    cell: Cell, product: Product, policy: MaintenancePolicy = DEFAULT_POLICY, clock: Clock = utc_now
) -> tuple[MaintenancePlan, ...]:
    """Return what `maintain` would do, table by table, and what of it is due. Changes nothing.

    Reads manifests and lists folders; `plan_due_steps` does neither.

    Raises: as `maintain`.
    """
    now = clock()
    found = []
    with named_errors(f"{product.name}/{cell.name}"):
        for name, table in load_tables(cell, product):
            own = policy_for(product, name, policy)
            with reading(table):
                orphans, rewritings = plan_sweep(table, now, own), plan_compaction(table, own)
            judged = judge(facts_of(cell, name, table, now, own), own, now)
            found.append(
                MaintenancePlan(
                    name,
                    None
                    if (horizon := own.horizon(now)) is None
                    else read_retention(table, horizon),
                    rewritings,
                    plan_expiry(table, now, own),
                    len(orphans.orphans),
                    orphans.bytes,
                    tuple(one for one in judged if isinstance(one, DueStep)),
                    tuple(one for one in judged if isinstance(one, SkippedStep)),
                )
            )
    return tuple(found)


def plan_due_steps(
    cell: Cell, product: Product, policy: MaintenancePolicy = DEFAULT_POLICY, clock: Clock = utc_now
) -> tuple[DueStep, ...]:
    """Return what is due of a product's tables now. Changes nothing, and opens no manifest.

    Costs one read of each table's metadata.

    Raises:
        CatalogUnavailableError, WarehouseUnavailableError: try again later.
    """
    now = clock()
    with named_errors(f"{product.name}/{cell.name}"):
        return tuple(
            due
            for name, table in load_tables(cell, product)
            for own in (policy_for(product, name, policy),)
            for due in plan_due([facts_of(cell, name, table, now, own)], own, now)
        )


def maintain(
    cell: Cell, product: Product, policy: MaintenancePolicy = DEFAULT_POLICY, clock: Clock = utc_now
) -> tuple[MaintenanceResult, ...]:
    """Maintain all tables of a product: compact them, expire old snapshots, delete orphan files.

    These are events, dead letters, derived tables with their histories, and what Headwater notes of them.
    Of events, hours that the contract keeps no longer are deleted before all else, and accounted for.
    Ledger entries and changes are kept in tables of their own before the snapshots that tell them expire.
    Takes no lock and may run beside ingest, builds, readers and itself; whoever loses a commit tries
    again. A step that fails stops no other: the first error is raised when all else is done. Nothing is
    undone when it ends early, and to do it again does the rest.

    Raises:
        RewriteConflictError, TableBusyError: others came first; try again.
        CatalogUnavailableError, WarehouseUnavailableError: try again later.
        RowsDoubledError: coordinates stand twice in an hour that is kept no longer; it was not deleted.
        RowsDifferError: rewritten files do not hold as many rows; the table has the old ones.
        OrphansUnsureError: a table's folder is not as its metadata says; none of its files was swept.
        FileMissingError, FileDamagedError: a file of a table cannot be read.
    """
    return tuple(maintain_tables(cell, product, None, policy, clock))


def maintain_due(
    cell: Cell, product: Product, policy: MaintenancePolicy = DEFAULT_POLICY, clock: Clock = utc_now
) -> tuple[MaintenanceResult, ...]:
    """Do what `plan_due_steps` finds, and return what was done; nothing where nothing is due.

    Raises: as `maintain`.
    """
    due = plan_due_steps(cell, product, policy, clock)
    return tuple(maintain_tables(cell, product, due, policy, clock)) if due else ()


def maintain_tables(
    cell: Cell,
    product: Product,
    due: Collection[DueStep] | None,
    policy: MaintenancePolicy = DEFAULT_POLICY,
    clock: Clock = utc_now,
    *,
    run_id: str | None = None,
    parent: ParentRun | None = None,
) -> Iterator[MaintenanceResult]:
    """Do the steps that are `due`, all of them for None; yield what was done, a table at a time.

    The cell's old lineage goes as well, and what waits for its collector is sent, if that takes it. Lineage
    tells of the run `run_id`, made up by default, which is part of `parent`.

    Raises: as `maintain`, after all else.
    """
    run_id = run_id or str(uuid4())
    failed: list[HeadwaterError] = []
    with named_errors(f"lineage of cell {cell.name}"):
        delete_old_lineage(cell, clock() - policy.retain_lineage)
        drain(cell, at_once=False, within_s=policy.drain_lineage_s, clock=clock)
    with (
        told(product_run(cell, product, "maintenance", _UPKEEP, run_id, clock, parent)) as run,
        named_errors(f"{product.name}/{cell.name}"),
    ):
        for name, table in load_tables(cell, product):
            own = tuple(one for one in due or () if one.table == name)
            if due is None or own:
                steps = set(Step) if due is None else {one.step for one in own}
                work = TableMaintenance(cell, product, name, table, steps, policy, clock, failed)
                done = work.run(own)
                snapshot_id = work.table.metadata.current_snapshot_id
                run.outputs = [*run.outputs, table_output(cell, name, snapshot_id)]
                run.goes_on()
                yield done
        if failed:
            raise failed[0]
