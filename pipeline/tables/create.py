"""Creating tables whose columns Headwater itself sets, and adding those that a newer format has."""

from __future__ import annotations

import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import CommitFailedException, TableAlreadyExistsError
from pyiceberg.partitioning import UNPARTITIONED_PARTITION_SPEC, PartitionField, PartitionSpec
from pyiceberg.schema import Schema, assign_fresh_schema_ids
from pyiceberg.table import Table
from pyiceberg.transforms import Transform
from sqlalchemy.exc import IntegrityError

from pipeline.tables import layout
from pipeline.tables.catalog import CREATORS, find_table
from pipeline.tables.pyiceberg_private import schema_without_ids

PROPERTIES = {
    layout.FORMAT_VERSION_PROPERTY: str(layout.FORMAT_VERSION),
    "format-version": "2",
    "write.parquet.compression-codec": "zstd",
    # Every commit writes a metadata file; without this, they are kept for ever.
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "50",
}


Partition = tuple[str, Transform[int, int], str]
"""The one field that a table is partitioned by: source column, transform, field name."""


def ensure_table(
    catalog: SqlCatalog,
    identifier: str,
    columns: pa.Schema,
    partition: Partition | None = None,
) -> Table:
    """Return the table, created where absent; it gets columns that it lacks, and `partition` if it has none.

    Idempotent, and safe when several processes do it at once. Files that are there stay as they are.

    Raises: as `find_table`.
    """
    table = load_or_create(catalog, identifier, columns, partition)
    for _ in range(CREATORS):
        lacking = set(columns.names) - set(table.schema().column_names)
        if not lacking and (partition is None or table.spec().fields):
            break
        try:
            if lacking:
                with table.update_schema() as update:
                    update.union_by_name(columns)
            else:
                _divide(table, partition)
        except CommitFailedException:
            # Another process changed the table first, perhaps by the same columns.
            pass
        table = catalog.load_table(identifier)
    return table


def _divide(table: Table, partition: Partition | None) -> None:
    if partition is not None:
        source, transform, name = partition
        with table.update_spec() as update:
            update.add_field(source, transform, name)


def ensure_namespace(catalog: SqlCatalog, name: str) -> None:
    """Create the namespace where absent. Safe when several processes do it."""
    try:
        catalog.create_namespace_if_not_exists(name)
    except IntegrityError:
        # Another process created it after PyIceberg had looked.
        if not catalog.namespace_exists(name):
            raise


def load_or_create(
    catalog: SqlCatalog,
    identifier: str,
    columns: pa.Schema,
    partition: Partition | None = None,
) -> Table:
    """Return the table as it is, created with `columns` where absent. Safe when several processes do it.

    Raises: as `find_table`: none is created where one lies in the warehouse.
    """
    if (table := find_table(catalog, identifier)) is not None:
        return table
    ensure_namespace(catalog, identifier.partition(".")[0])
    schema = fresh_schema(columns)
    spec = UNPARTITIONED_PARTITION_SPEC
    if partition is not None:
        source, transform, name = partition
        field_id = schema.find_field(source).field_id
        spec = PartitionSpec(PartitionField(field_id, 1000, transform, name))
    try:
        return catalog.create_table(identifier, schema, partition_spec=spec, properties=PROPERTIES)
    except TableAlreadyExistsError:
        return catalog.load_table(identifier)


def fresh_schema(columns: pa.Schema) -> Schema:
    """Return `columns` as Iceberg's, with ids that no table has given them."""
    return assign_fresh_schema_ids(schema_without_ids(columns))
