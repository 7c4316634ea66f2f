"""Creating a product's ingest tables, and growing their columns with the contract."""

from __future__ import annotations

import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import CommitFailedException, NoSuchTableError, TableAlreadyExistsError
from pyiceberg.partitioning import UNPARTITIONED_PARTITION_SPEC, PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.transforms import DayTransform, HourTransform, Transform
from sqlalchemy.exc import IntegrityError

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.contract.targets import iceberg
from pipeline.tables import layout
from pipeline.tables.catalog import CREATORS, open_catalog
from pipeline.tables.errors import named_errors

PROPERTIES = {
    layout.FORMAT_VERSION_PROPERTY: str(layout.FORMAT_VERSION),
    "format-version": "2",
    "write.parquet.compression-codec": "zstd",
    # Every commit writes a metadata file; without this, they are kept for ever.
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "50",
}


def ensure_tables(cell: Cell, product: Product) -> tuple[Table, Table]:
    """Return the product's (events, dead letters), created where absent.

    Columns that the contract has gained are added; none is dropped or narrowed. Idempotent, and
    safe when several processes do it at once.

    Raises:
        CatalogUnavailableError, WarehouseUnavailableError: try again later.
    """
    catalog = open_catalog(cell)
    with named_errors(f"{product.name}/{cell.name}"):
        events = ensure_table(
            catalog,
            layout.events_table(product.name),
            iceberg.events_schema(product),
            ("_event_time", HourTransform(), "event_hour"),
        )
        dead_letters = ensure_table(
            catalog,
            layout.dead_letters_table(product.name),
            layout.DEAD_LETTER_SCHEMA,
            ("_ingested_at", DayTransform(), "ingested_day"),
        )
    return events, dead_letters


def ensure_table(
    catalog: SqlCatalog,
    identifier: str,
    columns: pa.Schema,
    partition: tuple[str, Transform[int, int], str] | None = None,
) -> Table:
    """Return the table, created where absent; columns that it lacks are added.

    `partition` is (source column, transform, field name). Idempotent, and safe when several processes
    do it at once.
    """
    _ensure_namespace(catalog, identifier.partition(".")[0])
    return _ensure(catalog, identifier, columns, partition)


def _ensure_namespace(catalog: SqlCatalog, name: str) -> None:
    try:
        catalog.create_namespace_if_not_exists(name)
    except IntegrityError:
        # Another process created it after PyIceberg had looked.
        if not catalog.namespace_exists(name):
            raise


def _ensure(
    catalog: SqlCatalog,
    identifier: str,
    columns: pa.Schema,
    partition: tuple[str, Transform[int, int], str] | None,
) -> Table:
    try:
        table = catalog.load_table(identifier)
    except NoSuchTableError:
        schema = _fresh(columns)
        spec = UNPARTITIONED_PARTITION_SPEC
        if partition is not None:
            source, transform, name = partition
            field_id = schema.find_field(source).field_id
            spec = PartitionSpec(PartitionField(field_id, 1000, transform, name))
        try:
            return catalog.create_table(
                identifier, schema, partition_spec=spec, properties=PROPERTIES
            )
        except TableAlreadyExistsError:
            table = catalog.load_table(identifier)
    for _ in range(CREATORS):
        if not set(columns.names) - set(table.schema().column_names):
            break
        try:
            with table.update_schema() as update:
                update.union_by_name(columns)
        except CommitFailedException:
            # Another process changed the table first, perhaps by the same columns.
            pass
        table = catalog.load_table(identifier)
    return table


def _fresh(columns: pa.Schema) -> Schema:
    from pyiceberg.io.pyarrow import _pyarrow_to_schema_without_ids
    from pyiceberg.schema import assign_fresh_schema_ids

    return assign_fresh_schema_ids(_pyarrow_to_schema_without_ids(columns))
