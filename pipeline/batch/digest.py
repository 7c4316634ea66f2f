"""What tells one hour's rows from any others, whatever their order."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as sf
from pyspark.sql.types import ArrayType, DataType, MapType, StructField, StructType

from pipeline.tables.layout import BUILD_COLUMN

EMPTY = "0:0"
"""The digest of no row."""


def digests(rows: DataFrame, handover: str | None) -> tuple[str, str]:
    """Return the digest of `rows` and that of those that meet the SQL predicate `handover`.

    A digest is the number of rows and the sum of their 64-bit hashes (xxHash64): equal for equal
    rows, and for others by chance only. It is no protection against somebody who means harm. Reads
    `rows` once.
    """
    hashed = sf.xxhash64(
        *(_hashable(rows[field.name], field.dataType) for field in _fields(rows))
    ).cast("decimal(38, 0)")
    handed = sf.expr(handover or "false")
    found = rows.select(
        hashed.alias("hash"), sf.coalesce(handed, sf.lit(False)).alias("handed")
    ).agg(
        sf.count("*"),
        sf.sum("hash"),
        sf.count_if("handed"),
        sf.sum(sf.when(sf.col("handed"), sf.col("hash"))),
    )
    count, total, handed_count, handed_total = found.collect()[0]
    return f"{count}:{total or 0}", f"{handed_count}:{handed_total or 0}"


def _fields(rows: DataFrame) -> list[StructField]:
    # A build's own mark is of no interest to what the rows say.
    return sorted(
        (field for field in rows.schema if field.name != BUILD_COLUMN), key=lambda one: one.name
    )


def _hashable(column: Column, type_: DataType) -> Column:
    return sf.to_json(column) if _has_map(type_) else column


def _has_map(type_: DataType) -> bool:
    if isinstance(type_, ArrayType):
        return _has_map(type_.elementType)
    if isinstance(type_, StructType):
        return any(_has_map(field.dataType) for field in type_)
    return isinstance(type_, MapType)
