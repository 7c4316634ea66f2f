"""A feature table's partitions, changed with its contract: its rows are derived anew from its history."""

from __future__ import annotations

from pyiceberg.table import Table
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sf

from pipeline.batch.errors import DerivedUnsoundError
from pipeline.batch.wap.digest import digests
from pipeline.batch.wap.stagings import staged_snapshot
from pipeline.batch.wap.target import Target
from pipeline.cells import Cell
from pipeline.contract.model import Feature
from pipeline.spark.column_types import quoted
from pipeline.spark.tables import rows_at
from pipeline.tables.catalog import load_table
from pipeline.tables.commit_retry import retry_commit
from pipeline.tables.errors import named_errors
from pipeline.tables.layout import PARTITIONS_PENDING


def begin_partitions(cell: Cell, target: Target, feature: Feature) -> bool:
    """Give the table the contract's partitions, and tell whether its rows are still to be derived anew.

    That they are is kept in the table, in the same commit, until `finish_partitions`: whoever is ended in
    between, the next build derives all rows and not those of its hour alone.

    Raises:
        TableBusyError: other writers came first for a minute; the table is as it was.
    """

    def attempt() -> bool:
        table = load_table(cell, target.identifier)
        held = {table.schema().find_column_name(f.source_id): f.name for f in table.spec().fields}
        if set(held) == set(feature.partitions):
            return PARTITIONS_PENDING in table.properties
        with table.transaction() as transaction:
            with transaction.update_spec() as update:
                for column, name in held.items():
                    if column not in feature.partitions:
                        update.remove_field(name)
                for column in feature.partitions:
                    if column not in held:
                        update.add_identity(column)
            transaction.set_properties({PARTITIONS_PENDING: "true"})
        return True

    subject = f"{cell.name}.{target.identifier}"
    with named_errors(subject):
        return retry_commit(attempt, subject)


def finish_partitions(cell: Cell, target: Target) -> None:
    """Note that all rows of the table are of its partitions. Idempotent.

    Raises:
        TableBusyError: other writers came first for a minute; they will be derived anew once more.
    """

    def attempt() -> None:
        table: Table = load_table(cell, target.identifier)
        if PARTITIONS_PENDING in table.properties:
            with table.transaction() as transaction:
                transaction.remove_properties(PARTITIONS_PENDING)

    subject = f"{cell.name}.{target.identifier}"
    with named_errors(subject):
        retry_commit(attempt, subject)


def refuse_other_rows(
    session: SparkSession,
    cell: Cell,
    target: Target,
    feature: Feature,
    wanted: DataFrame,
    wap_id: str,
) -> None:
    """Audit a staging of the whole table: the rows are those `wanted`, each entity's once a partition.

    Raises:
        DerivedUnsoundError: they are others; what readers get is as it was.
    """
    staged = staged_snapshot(load_table(cell, target.identifier), wap_id)
    if staged is None:
        return
    rows = rows_at(session, cell, target.identifier, staged.snapshot_id)
    keys = [sf.col(quoted(name)) for name in dict.fromkeys((*feature.entity, *feature.partitions))]
    is_once = rows.groupBy(*keys).count().where("count > 1").isEmpty()
    if not is_once or digests(rows, None) != digests(wanted, None):
        raise DerivedUnsoundError(
            "its rows under the new partitions are not those of its history.",
            subject=f"{cell.name}.{target.identifier}",
            remedy=f"What readers get is as it was; look at the staging {wap_id}, and build again.",
        )
