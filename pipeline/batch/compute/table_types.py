"""Rows with the types that their table would have, were it created for them."""

from __future__ import annotations

import pyarrow as pa
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.schema import Schema
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import ArrayType, DataType, MapType, StructField, StructType

from pipeline.batch.errors import LogicError
from pipeline.contract.model import DerivedTable
from pipeline.spark.column_types import NoIcebergTypeError, conform, iceberg_struct, quoted


def as_table(frame: DataFrame, table: DerivedTable) -> DataFrame:
    """Return what a table's logic gives, as readers of the table would have it.

    Raises:
        LogicError: no table holds a column.
    """
    try:
        struct = iceberg_struct(frame.schema, None)
    except NoIcebergTypeError as error:
        raise LogicError(
            f"column {error.column} is {error.type}, which no table can hold.",
            subject=table.name,
            remedy=f"Cast it in {table.logic.file}, or give it a value.",
        ) from None
    held = columns_of(frame.sparkSession, schema_to_pyarrow(Schema(*struct.fields)))
    return frame.select(
        *(
            conform(frame[quoted(given.name)], given.dataType, wanted.dataType).alias(given.name)
            for given, wanted in zip(frame.schema, held, strict=True)
        )
    )


def columns_of(session: SparkSession, schema: pa.Schema) -> StructType:
    """Return Arrow's columns as Spark has them."""
    return session.createDataFrame(schema.empty_table()).schema


def nullable(columns: StructType) -> StructType:
    """Return columns that may be null, as may whatever is inside them but keys."""
    return StructType([StructField(one.name, _nullable(one.dataType)) for one in columns])


def _nullable(type_: DataType) -> DataType:
    if isinstance(type_, StructType):
        return nullable(type_)
    if isinstance(type_, ArrayType):
        return ArrayType(_nullable(type_.elementType))
    if isinstance(type_, MapType):
        return MapType(type_.keyType, _nullable(type_.valueType))
    return type_
