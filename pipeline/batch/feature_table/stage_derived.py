"""Staging what a feature table is to hold once its history has further hours."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace

from pyspark.sql import DataFrame
from pyspark.sql import functions as sf

from pipeline.batch.compute.read import of_hours
from pipeline.batch.context import RangeContext, hours_named
from pipeline.batch.errors import StagingOutdatedError
from pipeline.batch.feature_table.builds import builds_of
from pipeline.batch.feature_table.derived_from import is_compacted
from pipeline.batch.feature_table.incremental import brought_up
from pipeline.batch.feature_table.newest import keys_of, newest, of_newest_hour
from pipeline.batch.feature_table.partitions import begin_partitions, refuse_other_rows
from pipeline.batch.feature_table.plan_derivation import is_once, plan_derivation
from pipeline.batch.feature_table.read_facts import derived_from, read_facts
from pipeline.batch.feature_table.touched import touched_partitions
from pipeline.batch.model import Staged
from pipeline.batch.wap.stage import named_failures, write_staged
from pipeline.batch.wap.stagings import staged_snapshot, summary_of
from pipeline.batch.wap.target import Target, as_target, prepare_target
from pipeline.contract.model import Feature
from pipeline.spark.tables import rows_at, rows_of
from pipeline.table_changes.staged_summary import DERIVED_FROM_KEY
from pipeline.tables.catalog import load_table
from pipeline.tables.layout import BUILD_COLUMN


@dataclass(frozen=True)
class StagedDerivation:
    """A feature table's partitions, staged.

    Attributes:
        staged: of the feature table; hours and inputs are those of what it was derived after.
        anew: whether it is all of its rows, under partitions that the contract changed.
    """

    staged: Staged
    anew: bool


def stage_derived(
    context: RangeContext, feature: Feature, staged: Staged, target: Target
) -> StagedDerivation:
    """Stage what `target` is to hold once its history has the rows of `staged`, which are on its main.

    What it was derived from is said in the staging's summary.

    Raises:
        StagingOutdatedError: somebody else changed the feature table meanwhile; stage again.
        LogicError, SparkFailedError: as `stage`.
        TableBusyError: other writers came first for a minute.
    """
    session, cell = context.session(), context.cell
    wanted = replace(staged, table=target.identifier, wap_id=uuid.uuid4().hex, snapshot_id=None)
    subject = f"{cell.name}.{target.identifier} {hours_named(staged.starts)}"
    with named_failures(subject, cell):
        # Of one version of its metadata: of a build that counts, the rows are there.
        table = load_table(cell, context.table)
        builds = builds_of(context, staged, table)
        at = table.metadata.current_snapshot_id
        history = (
            rows_of(session, cell, context.table)
            if at is None
            else rows_at(session, cell, context.table, at)
        )
        prepare_target(
            session, cell, target, context.derived_table, history.drop(BUILD_COLUMN).schema
        )
        anew = begin_partitions(cell, target, feature)
        touched = None if anew else touched_partitions(history, feature, staged, builds.counted)
        current = load_table(cell, target.identifier)
        facts = read_facts(table, current, feature, staged, builds, touched)
        plan = plan_derivation(facts)
        if plan.incremental and touched is not None:
            fresh = as_target(session, cell, target, _fresh(context, feature, staged, history))
            kept = rows_of(session, cell, target.identifier)
            count = sum(one.rows for one in staged.hours)
            frame = brought_up(kept, fresh, facts.keys, touched, count)
        else:
            rows = newest(history, feature, touched, builds.counted)
            frame = as_target(session, cell, target, rows)
        said = derived_from(table, current, facts, plan)
        write_staged(
            session,
            cell,
            target,
            frame,
            wanted.wap_id,
            {**summary_of(wanted), DERIVED_FROM_KEY: said.model_dump_json()},
            one_partition=plan.incremental and len(facts.touched or ()) == 1,
            few_partitions=plan.incremental,
            replace_all=touched is None,
        )
        if anew:
            refuse_other_rows(session, cell, target, feature, frame, wanted.wap_id)
    current = load_table(cell, target.identifier)
    copied = staged_snapshot(current, wanted.wap_id)
    # Of what was read only: beside rows that came since, those kept would be outdated.
    if (
        plan.incremental
        and copied is not None
        and not is_compacted(current, copied.parent_snapshot_id, said.base_snapshot_id)
    ):
        raise StagingOutdatedError(
            "it has changed since it was read.",
            subject=subject,
            remedy="What readers get is as it was; build again.",
        )
    return StagedDerivation(
        replace(wanted, snapshot_id=copied.snapshot_id if copied else None), anew
    )


def _fresh(
    context: RangeContext, feature: Feature, staged: Staged, history: DataFrame
) -> DataFrame:
    """Return each key's newest row of the staged ones."""
    rows = history.where(of_hours(staged.starts)).where(sf.col(BUILD_COLUMN) == staged.wap_id)
    keys = keys_of(feature)
    return rows if is_once(context.derived_table, staged, keys) else of_newest_hour(rows, keys)
