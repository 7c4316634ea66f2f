"""Creating tables whose columns Headwater itself sets, and adding those that a newer format has."""

from __future__ import annotations

import time
from collections.abc import Mapping

import pyarrow as pa
from pyiceberg.catalog import Catalog
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import CommitFailedException, ServerError, TableAlreadyExistsError
from pyiceberg.partitioning import UNPARTITIONED_PARTITION_SPEC, PartitionField, PartitionSpec
from pyiceberg.schema import Schema, assign_fresh_schema_ids
from pyiceberg.table import Table
from pyiceberg.table.update import AssertRefSnapshotId, SetPropertiesUpdate
from pyiceberg.transforms import Transform
from sqlalchemy.exc import IntegrityError

from pipeline.catalogs.rest import breaks_promise
from pipeline.tables import layout
from pipeline.tables.catalog import CREATORS, find_table
from pipeline.tables.errors import named_errors
from pipeline.tables.pyiceberg_private import schema_without_ids
from pipeline.tables.warehouse import warehouse_behind

PROPERTIES = {
    layout.FORMAT_VERSION_PROPERTY: str(layout.FORMAT_VERSION),
    "format-version": "2",
    "write.parquet.compression-codec": "zstd",
    # Every commit writes a metadata file; without this, they are kept for ever.
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "50",
}


PAUSE_S = 0.1
"""Between two attempts to create what another process creates."""
PROBE = "headwater.probe"
"""The property of a commit that a catalog must refuse."""

Partition = tuple[str, Transform[int, int], str]
"""The one field that a table is partitioned by: source column, transform, field name."""


def ensure_table(
    catalog: Catalog,
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


def ensure_namespace(catalog: Catalog, name: str) -> None:
    """Create the namespace where absent. Safe when several processes do it."""
    for left in reversed(range(CREATORS)):
        try:
            catalog.create_namespace_if_not_exists(name)
            return
        except (IntegrityError, ServerError):
            # Another process created it after PyIceberg had looked, or is at it: some servers fail meanwhile.
            if not left:
                raise
            time.sleep(PAUSE_S)


def load_or_create(
    catalog: Catalog,
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
    return create(catalog, identifier, schema, spec, PROPERTIES)


def create(
    catalog: Catalog,
    identifier: str,
    schema: Schema,
    spec: PartitionSpec,
    properties: Mapping[str, str],
) -> Table:
    """Return the table, created unless another process was faster, in a namespace that is there.

    Raises:
        CatalogNotSupportedError: the catalog is of REST, and does not keep what tables depend on.
        CatalogRefusedError, CatalogUnavailableError: nothing was created.
    """
    # As a catalog in a database would put it: found there by whoever recovers a catalog that is lost.
    location = f"{warehouse_behind(catalog).location}/{identifier.replace('.', '/')}"
    with named_errors(f"{catalog.name}.{identifier}"):
        try:
            made = catalog.create_table(
                identifier, schema, location, partition_spec=spec, properties=dict(properties)
            )
        except TableAlreadyExistsError:
            return catalog.load_table(identifier)
        if isinstance(catalog, SqlCatalog):
            return made
        _check_promises(made, location)
        # Of two at the same moment each may be told that it made the table; commits to the other are refused.
        return catalog.load_table(identifier)


def _check_promises(table: Table, location: str) -> None:
    """Refuse a catalog of somebody else's that does not keep what every commit depends on.

    It may put a table elsewhere, or take a commit that main has moved away from: then two ingests at once
    would both land.
    """
    subject = f"{table.catalog.name}.{'.'.join(table.name())}"
    if table.location().rstrip("/") != location:
        raise breaks_promise(
            subject, f"the catalog puts it at {table.location()}, not at {location}."
        )
    absent = AssertRefSnapshotId.model_validate({"ref": "main", "snapshot-id": 1})
    unharmful = SetPropertiesUpdate(updates={PROBE: "true"})
    try:
        table.catalog.commit_table(table, (absent,), (unharmful,))
    except CommitFailedException:
        return
    raise breaks_promise(subject, "the catalog takes a commit whose requirements do not hold.")


def fresh_schema(columns: pa.Schema) -> Schema:
    """Return `columns` as Iceberg's, with ids that no table has given them."""
    return assign_fresh_schema_ids(schema_without_ids(columns))
