"""What is known before a feature table is derived, and what is said once it is; from metadata alone."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
from pyiceberg.schema import index_by_name
from pyiceberg.table import Table
from pyspark.sql.utils import is_remote

from pipeline.batch.feature_table.builds import Builds, digest_of
from pipeline.batch.feature_table.derived_from import (
    DerivedFrom,
    Partition,
    is_added,
    last_derived,
)
from pipeline.batch.feature_table.newest import keys_of
from pipeline.batch.feature_table.plan_derivation import (
    Derivation,
    DerivationFacts,
    columns_are_kept,
)
from pipeline.batch.model import Staged
from pipeline.contract.model import Feature


def read_facts(
    history: Table,
    current: Table,
    feature: Feature,
    staged: Staged,
    builds: Builds,
    touched: pa.Table | None,
) -> DerivationFacts:
    """Return what is known; `touched` has a column for each column of the partitions."""
    last, schema_id = last_derived(current) or (None, None)
    return DerivationFacts(
        keys=keys_of(feature),
        staged_hours=staged.with_rows,
        builds=builds,
        touched=None if touched is None else _partitions(touched),
        is_empty=current.metadata.current_snapshot_id is None,
        last=last,
        history_added_only=last is not None
        and is_added(
            history,
            history.metadata.current_snapshot_id,
            last.history_snapshot_id,
            staged.wap_id,
        ),
        columns_kept=last is not None
        and columns_are_kept(
            _columns_then_and_now(history, last.history_schema_id),
            _columns_then_and_now(current, schema_id),
        ),
        over_connect=is_remote(),
    )


def derived_from(
    history: Table, current: Table, facts: DerivationFacts, plan: Derivation
) -> DerivedFrom:
    """Return what is to be said of rows derived as planned."""
    return DerivedFrom(
        history_snapshot_id=history.metadata.current_snapshot_id,
        history_schema_id=history.metadata.current_schema_id,
        base_snapshot_id=current.metadata.current_snapshot_id,
        builds=digest_of(facts.builds.now),
        keys=facts.keys,
        partitions=plan.partitions,
        path=f"{'incremental' if plan.incremental else 'full'}: {plan.reason}",
    )


def _partitions(touched: pa.Table) -> tuple[Partition, ...]:
    return tuple(
        tuple(None if value is None else str(value) for value in row.values())
        for row in touched.to_pylist()
    )


def _columns_then_and_now(
    table: Table, schema_id: int | None
) -> tuple[Mapping[str, int], Mapping[str, int]] | None:
    """Return names and ids of columns, nested ones too, of an earlier schema and of now."""
    then = None if schema_id is None else table.schemas().get(schema_id)
    return None if then is None else (index_by_name(then), index_by_name(table.schema()))
