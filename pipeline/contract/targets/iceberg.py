"""The columns of a product's events table."""

from __future__ import annotations

import pyarrow as pa

from pipeline.avro import arrow
from pipeline.contract.model import Product
from pipeline.contract.references.column_types import table_type
from pipeline.contract.references.data import load_reference
from pipeline.tables.layout import EVENT_COLUMNS


def payload_schema(product: Product) -> pa.Schema:
    """Return the payload's own columns, in the order of the newest payload schema.

    Every column is nullable, whatever Avro says: a later payload version may drop a field, or make it
    nullable, and an Iceberg column that is required cannot follow.

    Raises:
        UnsupportedTypeError: a field has no Iceberg type; the contract check refuses it before.
    """
    return pa.schema(arrow.fields(product.payload_schema))


def reference_schema(product: Product) -> pa.Schema:
    """Return the columns that reference data adds: nullable, typed as in the data itself.

    Raises:
        ReferenceDataError: the data cannot be read.
    """
    columns: list[pa.Field] = []
    for reference in product.references:
        table = load_reference(product, reference).frame.select(reference.columns).to_arrow()
        columns += [pa.field(field.name, table_type(field.type)) for field in table.schema]
    return pa.schema(columns)


def events_schema(product: Product) -> pa.Schema:
    """Return the columns of `<product>.events`: Headwater's own, the payload's, the reference data's.

    Raises:
        UnsupportedTypeError, ReferenceDataError: as `payload_schema` and `reference_schema`.
    """
    return pa.schema([*EVENT_COLUMNS, *payload_schema(product), *reference_schema(product)])
