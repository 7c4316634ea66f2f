"""The tables that hours are published in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema, assign_fresh_schema_ids
from pyiceberg.transforms import HourTransform, IdentityTransform, Transform
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sf
from pyspark.sql.types import StructField, StructType

from pipeline.batch.errors import LogicError
from pipeline.catalogs.rest import is_rest
from pipeline.cells import Cell
from pipeline.contract.model import DerivedTable, Product, published_table
from pipeline.evolution.model import Action
from pipeline.evolution.plan import plan_columns
from pipeline.spark.column_types import NoIcebergTypeError, conform, ddl, iceberg_struct, quoted
from pipeline.spark.tables import table_name
from pipeline.tables.catalog import TableMissingError, load_table, open_catalog
from pipeline.tables.commit_retry import retry_commit
from pipeline.tables.create import create
from pipeline.tables.data_files.past_names import PastNames
from pipeline.tables.errors import named_errors
from pipeline.tables.layout import (
    BUILD_COLUMN,
    FORMAT_VERSION,
    FORMAT_VERSION_PROPERTY,
    HOUR_COLUMN,
)

PROPERTIES = {
    "format-version": "2",
    FORMAT_VERSION_PROPERTY: str(FORMAT_VERSION),
    "write.wap.enabled": "true",
    "write.parquet.compression-codec": "zstd",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "50",
}

_BY_HOUR = f"hours(`{HOUR_COLUMN}`)"


@dataclass(frozen=True)
class Target:
    """A table that rows are staged for.

    Attributes:
        identifier: `namespace.table`.
        partitioning: its partitions, as Spark SQL states them.
        required: columns that are never null.
        appends: whether rows are added; otherwise they replace the partitions that they are of.
    """

    identifier: str
    partitioning: tuple[str, ...]
    required: tuple[str, ...]
    appends: bool = False


def hourly_target(product: Product, derived_table: DerivedTable) -> Target:
    """Return where a derived table's hours are published: for a feature table, its history."""
    is_feature = derived_table.feature is not None
    required = (HOUR_COLUMN, BUILD_COLUMN) if is_feature else (HOUR_COLUMN,)
    return Target(
        published_table(product, derived_table),
        (_BY_HOUR,),
        required,
        appends=is_feature,
    )


def fit_target(
    session: SparkSession, cell: Cell, target: Target, derived_table: DerivedTable, frame: DataFrame
) -> DataFrame:
    """Return `frame` with the columns of its table, which is created, or follows, if need be.

    The table gains the columns that the logic gives, at the top and inside records, lists' items and maps'
    values; int becomes long, float double, a decimal one of more digits. A column that the logic no longer
    gives stays and becomes null, one that it gives narrower is given as the table has it; anything else is
    refused, and then the table is as it was. Rows that are there are not touched: they have nulls in
    what came later. Idempotent, and safe when several processes do it at once.

    Raises:
        LogicError: a column's type is not one that the table's can become, or none of Iceberg's.
        CatalogUnavailableError, WarehouseUnavailableError: try again later.
        TableBusyError: other writers came first for a minute; the table is as it was.
    """
    prepare_target(session, cell, target, derived_table, frame.schema)
    return as_target(session, cell, target, frame)


def prepare_target(
    session: SparkSession,
    cell: Cell,
    target: Target,
    derived_table: DerivedTable,
    given: StructType,
) -> None:
    """Create the table, or make its columns follow those `given`; as `fit_target`."""
    comments = {column.name: column.description for column in derived_table.columns}
    try:
        if not _exists(cell, target):
            if is_rest(cell):
                _create_in_rest(cell, target, comments, given)
            else:
                _create(session, table_name(cell, target.identifier), target, comments, given)
        subject = f"{cell.name}.{target.identifier}"
        with named_errors(subject):
            retry_commit(lambda: _follow(cell, target, comments, given), subject)
    except NoIcebergTypeError as error:
        raise _misfit(
            cell, target, f"column {error.column} is {error.type}, which no table can hold."
        ) from None


def as_target(session: SparkSession, cell: Cell, target: Target, frame: DataFrame) -> DataFrame:
    """Return `frame` with the columns of its table, which was prepared for it."""
    given = {field.name: field.dataType for field in frame.schema}
    return frame.select(
        *(
            (
                conform(frame[quoted(field.name)], given[field.name], field.dataType)
                if field.name in given
                else sf.lit(None).cast(field.dataType)
            ).alias(field.name)
            for field in session.table(table_name(cell, target.identifier)).schema
        )
    )


def _exists(cell: Cell, target: Target) -> bool:
    try:
        load_table(cell, target.identifier)
    except TableMissingError:
        return False
    return True


def _create(
    session: SparkSession, name: str, target: Target, comments: dict[str, str], given: StructType
) -> None:
    # Asked for its refusals: Spark would say less.
    iceberg_struct(given, None)
    columns = ", ".join(_column(field, comments, target) for field in given)
    properties = ", ".join(f"'{key}' = '{value}'" for key, value in PROPERTIES.items())
    session.sql(
        f"CREATE TABLE IF NOT EXISTS {name} ({columns}) USING iceberg "
        f"PARTITIONED BY ({', '.join(target.partitioning)}) TBLPROPERTIES ({properties})"
    )


def _create_in_rest(
    cell: Cell, target: Target, comments: Mapping[str, str], given: StructType
) -> None:
    """Create the table as Spark would, without Spark: some catalogs take no id 0, which its columns begin at.

    Raises:
        NoIcebergTypeError: no table can hold a column.
        CatalogNotSupportedError, CatalogRefusedError, CatalogUnavailableError: as `create`.
    """
    fields = iceberg_struct(given, None, target.required).fields
    told = (one.model_copy(update={"doc": comments.get(one.name) or None}) for one in fields)
    schema = assign_fresh_schema_ids(Schema(*told))
    parts = []
    for number, stated in enumerate(target.partitioning):
        is_hour = stated == _BY_HOUR
        column = HOUR_COLUMN if is_hour else stated.strip("`").replace("``", "`")
        transform: Transform[Any, Any] = HourTransform() if is_hour else IdentityTransform()
        name = f"{column}_hour" if is_hour else column
        source = schema.find_field(column).field_id
        parts.append(PartitionField(source, 1000 + number, transform, name))
    create(open_catalog(cell), target.identifier, schema, PartitionSpec(*parts), PROPERTIES)


def _follow(cell: Cell, target: Target, comments: dict[str, str], given: StructType) -> None:
    """Let the table's columns follow, in one commit or none."""
    table = load_table(cell, target.identifier)
    held = table.schema().as_struct()
    wanted = iceberg_struct(given, held, target.required)
    # No former names: a derived table's column that is renamed is another one.
    plan = plan_columns(target.identifier, wanted, {}, held, PastNames(()))
    if plan.refused:
        listed = "; ".join(str(step) for step in plan.refused)
        raise _misfit(cell, target, f"its columns cannot follow the logic: {listed}.")
    if not plan.due:
        return
    with table.update_schema() as update:
        for change in plan.due:
            if change.type is None:
                update.make_column_optional(change.path)
            elif change.step.action is Action.ADD_COLUMN:
                said = comments.get(change.path[0]) if len(change.path) == 1 else None
                update.add_column(change.path, change.type, doc=said or None)
            else:
                update.update_column(change.path, change.type)


def _column(field: StructField, comments: dict[str, str], target: Target) -> str:
    required = " NOT NULL" if field.name in target.required else ""
    comment = comments.get(field.name, "").replace("\\", "\\\\").replace("'", "\\'")
    said = f" COMMENT '{comment}'" if comment else ""
    return f"{quoted(field.name)} {ddl(field.dataType)}{required}{said}"


def _misfit(cell: Cell, target: Target, what: str) -> LogicError:
    return LogicError(
        what,
        subject=f"{cell.name}.{target.identifier}",
        remedy="Cast the column in the contract's logic, or give it a new name; nothing was staged.",
    )
