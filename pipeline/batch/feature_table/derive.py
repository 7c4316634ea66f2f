"""A feature table, derived from its history: each entity's newest value, from each hour's last build."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

import pyarrow as pa
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as sf
from pyspark.sql.types import StructField

from pipeline.avro.arrow import UTC_MICROS
from pipeline.batch.compute.read import of_hours
from pipeline.batch.context import RangeContext, hours_named
from pipeline.batch.errors import StagingOutdatedError
from pipeline.batch.feature_table.partitions import (
    begin_partitions,
    finish_partitions,
    refuse_other_rows,
)
from pipeline.batch.model import Staged
from pipeline.batch.wap.publish import publish, published_unrecorded
from pipeline.batch.wap.stage import named_failures, write_staged
from pipeline.batch.wap.stagings import staged_snapshot, summary_of
from pipeline.batch.wap.tags import serve
from pipeline.batch.wap.target import Target, as_target, prepare_target
from pipeline.contract.model import DerivedTable, Feature, Product
from pipeline.failpoints import failpoint
from pipeline.spark.column_types import quoted
from pipeline.spark.tables import rows_of
from pipeline.tables.catalog import load_table
from pipeline.tables.layout import (
    BUILD_COLUMN,
    HOUR_COLUMN,
    product_table,
)

ATTEMPTS = 3
"""How often the table is derived anew before somebody else who keeps changing it wins."""


def feature_table_target(product: Product, derived_table: DerivedTable, feature: Feature) -> Target:
    """Return the feature table itself."""
    partitioning = tuple(quoted(column) for column in feature.partitions)
    return Target(product_table(product.name, derived_table.name), partitioning, (HOUR_COLUMN,))


def derive_feature_table(context: RangeContext, feature: Feature, staged: Staged) -> int | None:
    """Bring the feature table up to its history, whose main holds the rows of `staged`, and serve it.

    Replaces the partitions that the builds of the staged hours have rows of: in each, an entity's row of
    its newest hour, by that hour's last build. All of them are replaced where one is left without rows,
    and where the contract has other partitions than the table was made with. They are replaced whole or
    not at all, and the tag `served` moves after that; returns the snapshot it is on. Idempotent: to
    derive again gives the same rows.

    Raises:
        StagingOutdatedError: somebody else kept changing the same partitions.
        LogicError, SparkFailedError: as `stage`; what readers get is as it was.
        TableBusyError: other writers came first for a minute; what readers get is as it was.
    """
    if staged.snapshot_id is None:
        return None
    target = feature_table_target(context.product, context.derived_table, feature)
    attempt = 0
    while True:
        attempt += 1
        copied, anew = _stage(context, feature, staged, target)
        failpoint("hour.after_stage_current")
        try:
            publish(context.spark, context.cell, copied)
        except StagingOutdatedError:
            if attempt == ATTEMPTS:
                raise
            continue
        failpoint("hour.after_publish_current")
        served = serve(context.cell, target.identifier)
        if anew:
            finish_partitions(context.cell, target)
        return served


def _stage(
    context: RangeContext, feature: Feature, staged: Staged, target: Target
) -> tuple[Staged, bool]:
    """Stage it; tell whether all of it was."""
    session, cell = context.session(), context.cell
    wanted = replace(staged, table=target.identifier, wap_id=uuid.uuid4().hex, snapshot_id=None)
    with named_failures(f"{cell.name}.{target.identifier} {hours_named(staged.starts)}", cell):
        # In this order: of a build that counts, the rows are there.
        builds = _builds(context, staged)
        history = rows_of(session, cell, context.table)
        given = history.drop(BUILD_COLUMN).schema
        prepare_target(session, cell, target, context.derived_table, given)
        anew = begin_partitions(cell, target, feature)
        touched = None if anew else _touched(history, feature, staged, builds)
        frame = as_target(session, cell, target, newest(history, feature, touched, builds))
        summary = summary_of(wanted)
        write_staged(
            session, cell, target, frame, wanted.wap_id, summary, replace_all=touched is None
        )
        if anew:
            refuse_other_rows(session, cell, target, feature, frame, wanted.wap_id)
    copied = staged_snapshot(load_table(cell, target.identifier), wanted.wap_id)
    return replace(wanted, snapshot_id=copied.snapshot_id if copied else None), anew


def _touched(
    history: DataFrame, feature: Feature, staged: Staged, builds: Mapping[datetime, str]
) -> pa.Table | None:
    """Return the partitions that the builds of the staged hours have rows of.

    None where one of them is to be left without rows, as nothing that is written replaces it: an
    earlier build of one of the hours had some there, and nothing else has.
    """
    parts = [quoted(name) for name in feature.partitions]
    is_of_build = sf.max(sf.col(BUILD_COLUMN) == staged.wap_id)
    of_staged = history.where(of_hours(staged.starts))
    found = of_staged.groupBy(*parts).agg(is_of_build.alias(BUILD_COLUMN)).toArrow()
    touched, of_build = found.drop_columns(BUILD_COLUMN), found.column(BUILD_COLUMN).to_pylist()
    if not all(of_build):
        left = newest(history, feature, touched, builds).select(*parts).distinct().toArrow()
        kept = {tuple(row.values()) for row in left.to_pylist()}
        if any(tuple(row.values()) not in kept for row in touched.to_pylist()):
            return None
    return touched


def newest(
    history: DataFrame,
    feature: Feature,
    touched: pa.Table | None,
    builds: Mapping[datetime, str],
) -> DataFrame:
    """Return what the partitions `touched`, and perhaps others, are to hold; all of them for None.

    `builds` maps each hour to the build that counts.
    """
    if touched is not None:
        for column in feature.partitions:
            # Values, not a join: files without them are not read.
            values = touched.column(column).unique().to_pylist()
            history = history.where(is_one_of(history.schema[column], values))
    # As Arrow: rows of Python would start a Python worker beside every task.
    counted = history.sparkSession.createDataFrame(
        pa.table(
            {
                HOUR_COLUMN: pa.array(list(builds), UTC_MICROS),
                BUILD_COLUMN: pa.array(list(builds.values()), pa.string()),
            }
        )
    )
    keys = dict.fromkeys((*feature.entity, *feature.partitions))
    order = Window.partitionBy(*map(quoted, keys)).orderBy(sf.col(HOUR_COLUMN).desc())
    return (
        history.join(sf.broadcast(counted), [HOUR_COLUMN, BUILD_COLUMN], "left_semi")
        .withColumn("_rank", sf.row_number().over(order))
        .where("_rank = 1")
        .drop("_rank", BUILD_COLUMN)
    )


def is_one_of(field: StructField, values: Iterable[Any]) -> Column:
    """Return the condition that a column has one of `values`; null is a value like any other."""
    column, given = sf.col(quoted(field.name)), list(values)
    # By its text: Spark takes a time without a zone as of the machine's own.
    known = [
        sf.lit(one.isoformat()).cast(field.dataType) if isinstance(one, datetime) else sf.lit(one)
        for one in given
        if one is not None
    ]
    found = column.isin(known) if known else sf.lit(False)
    return found | column.isNull() if None in given else found


def _builds(context: RangeContext, staged: Staged) -> dict[datetime, str]:
    """Return the build of each hour that counts.

    Builds that are on main count, recorded or not: a build is recorded only once readers have it, and
    whoever derives the table meanwhile must not take it from them.
    """
    # The records were read first: what others have recorded since is on main in what is read now.
    log, table = context.publications, context.table
    builds = {hour: one.wap_id for (name, hour), one in log.last.items() if name == table}
    unrecorded = published_unrecorded(load_table(context.cell, table), partial(log.has, table))
    for other, _ in unrecorded:
        builds |= dict.fromkeys(other.starts, other.wap_id)
    return builds | dict.fromkeys(staged.starts, staged.wap_id)
