"""What tells the rows of hours from any others, whatever their order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as sf
from pyspark.sql.types import ArrayType, DataType, MapType, StructField, StructType

from pipeline.tables.layout import BUILD_COLUMN, HOUR_COLUMN

EMPTY = "0:0"
"""The digest of no row."""


@dataclass(frozen=True)
class Digests:
    """The digest of an hour's rows, and that of those that it hands over to later hours."""

    rows: str = EMPTY
    handover: str = EMPTY


def digests(rows: DataFrame, handover: str | None) -> Mapping[datetime, Digests]:
    """Return, of each `hour` that `rows` have, the digests of its rows and of those that meet `handover`.

    A digest is the number of rows and the sum of their 64-bit hashes (xxHash64): equal for equal
    rows, and for others by chance only. It is no protection against somebody who means harm. `handover` is a
    predicate in SQL. Reads `rows` once.
    """
    terms = (
        term
        for field in _fields(rows)
        for term in _terms(rows[f"`{field.name}`"], field.dataType, field.name)
    )
    hashed = sf.xxhash64(*terms).cast("decimal(38, 0)")
    handed = sf.expr(handover or "false")
    found = (
        rows.select(
            sf.unix_seconds(HOUR_COLUMN).alias("at"),
            hashed.alias("hash"),
            sf.coalesce(handed, sf.lit(False)).alias("handed"),
        )
        .groupBy("at")
        .agg(
            sf.count("*"),
            sf.sum("hash"),
            sf.count_if("handed"),
            sf.sum(sf.when(sf.col("handed"), sf.col("hash"))),
        )
    )
    return {
        datetime.fromtimestamp(at, UTC): Digests(
            f"{count}:{total or 0}", f"{handed_count}:{handed_total or 0}"
        )
        for at, count, total, handed_count, handed_total in found.collect()
    }


def _fields(rows: DataFrame) -> list[StructField]:
    # A build's own mark is of no interest to what the rows say.
    return sorted(
        (field for field in rows.schema if field.name != BUILD_COLUMN), key=lambda one: one.name
    )


def _terms(column: Column, type_: DataType, path: str) -> Iterator[Column]:
    """Yield what is hashed of one column: Spark's hash passes over nulls, and over where lists end."""
    if isinstance(type_, StructType):
        for field in type_:
            yield from _terms(column[field.name], field.dataType, f"{path}.{field.name}")
    elif _needs_text(type_):
        yield sf.to_json(column, {"ignoreNullFields": "false"})
    else:
        yield column
        if isinstance(type_, ArrayType):
            yield sf.size(column)
            # Looked for first: to tell where they are costs five times as much.
            yield sf.when(
                sf.exists(
                    column, lambda item: reduce(Column.__or__, _flags(item, type_.elementType))
                ),
                sf.transform(column, lambda item: _nulls(item, type_.elementType)),
            )
    yield sf.when(column.isNull(), sf.lit(f"\0null {path}"))


def _nulls(item: Column, type_: DataType) -> Column:
    """Return, of an item of a list, what of it is null: a bit for each of its fields."""
    flags = [flag.cast("bigint") for flag in _flags(item, type_)]
    numbers = (
        reduce(
            Column.bitwiseOR, (sf.shiftleft(flag, n) for n, flag in enumerate(flags[at : at + 62]))
        )
        for at in range(0, len(flags), 62)
    )
    return sf.struct(*numbers)


def _flags(item: Column, type_: DataType) -> Iterator[Column]:
    yield item.isNull()
    if isinstance(type_, StructType):
        for field in type_:
            yield from _flags(item[field.name], field.dataType)


def _needs_text(type_: DataType) -> bool:
    """Return whether only its text tells a value of the type: it holds maps, or lists in lists."""
    if isinstance(type_, ArrayType):
        return _has(type_.elementType, (ArrayType, MapType))
    return _has(type_, (MapType,))


def _has(type_: DataType, kinds: tuple[type[DataType], ...]) -> bool:
    if isinstance(type_, kinds):
        return True
    if isinstance(type_, ArrayType):
        return _has(type_.elementType, kinds)
    if isinstance(type_, StructType):
        return any(_has(field.dataType, kinds) for field in type_)
    return False
