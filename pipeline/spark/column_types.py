"""Spark's types as Iceberg has them, and columns brought to the type that their table has."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from pyiceberg import types as iceberg
from pyspark.sql import Column
from pyspark.sql import functions as sf
from pyspark.sql import types as spark

_PLAIN: dict[type[spark.DataType], iceberg.IcebergType] = {
    spark.BooleanType: iceberg.BooleanType(),
    spark.ByteType: iceberg.IntegerType(),
    spark.ShortType: iceberg.IntegerType(),
    spark.IntegerType: iceberg.IntegerType(),
    spark.LongType: iceberg.LongType(),
    spark.FloatType: iceberg.FloatType(),
    spark.DoubleType: iceberg.DoubleType(),
    spark.StringType: iceberg.StringType(),
    spark.VarcharType: iceberg.StringType(),
    spark.CharType: iceberg.StringType(),
    spark.BinaryType: iceberg.BinaryType(),
    spark.DateType: iceberg.DateType(),
    spark.TimestampType: iceberg.TimestamptzType(),
    spark.TimestampNTZType: iceberg.TimestampType(),
}


class NoIcebergTypeError(Exception):
    """A column, or something inside it, is of a type that no table can hold."""

    def __init__(self, column: str, type_: spark.DataType) -> None:
        self.column = column
        self.type = type_.simpleString()
        super().__init__(f"{column}: {self.type}")


def iceberg_struct(
    given: spark.StructType, held: iceberg.StructType | None, required: tuple[str, ...] = ()
) -> iceberg.StructType:
    """Return the columns `given` in Iceberg's types; ids mean nothing. Pure.

    What is null in every row has the type that `held` has for it, the columns of the table.

    Raises:
        NoIcebergTypeError: Iceberg has no such type, or nothing tells the type of what is always null.
    """
    return _Translator().struct(given, held, (), required)


class _Translator:
    def __init__(self) -> None:
        self._ids = itertools.count(1)

    def struct(
        self,
        given: spark.StructType,
        held: iceberg.IcebergType | None,
        path: tuple[str, ...],
        required: tuple[str, ...] = (),
    ) -> iceberg.StructType:
        known = held.fields if isinstance(held, iceberg.StructType) else ()
        there = {field.name: field.field_type for field in known}
        return iceberg.StructType(
            *(
                iceberg.NestedField(
                    next(self._ids),
                    field.name,
                    self.type(field.dataType, there.get(field.name), (*path, field.name)),
                    required=field.name in required,
                )
                for field in given
            )
        )

    def type(
        self, given: spark.DataType, held: iceberg.IcebergType | None, path: tuple[str, ...]
    ) -> iceberg.IcebergType:
        if isinstance(given, spark.NullType) and held is not None:
            return held
        if isinstance(given, spark.StructType):
            return self.struct(given, held, path)
        if isinstance(given, spark.ArrayType):
            item = held.element_type if isinstance(held, iceberg.ListType) else None
            element = self.type(given.elementType, item, (*path, "element"))
            return iceberg.ListType(next(self._ids), element, element_required=False)
        if isinstance(given, spark.MapType):
            of = held if isinstance(held, iceberg.MapType) else None
            key = self.type(given.keyType, of.key_type if of else None, (*path, "key"))
            value = self.type(given.valueType, of.value_type if of else None, (*path, "value"))
            return iceberg.MapType(
                next(self._ids), key, next(self._ids), value, value_required=False
            )
        if isinstance(given, spark.DecimalType):
            return iceberg.DecimalType(given.precision, given.scale)
        found = _PLAIN.get(type(given))
        if found is None:
            raise NoIcebergTypeError(".".join(path), given)
        return found


def conform(column: Column, given: spark.DataType, held: spark.DataType) -> Column:
    """Return `column` as the type that its table has, which holds every value of the one `given`.

    Fields are told by their names; those that are not given are null.
    """
    if given.simpleString() == held.simpleString():
        return column
    if isinstance(given, spark.StructType) and isinstance(held, spark.StructType):
        fields = sf.struct(*_fields(column, given, held))
        return sf.when(column.isNotNull(), fields)
    if isinstance(given, spark.ArrayType) and isinstance(held, spark.ArrayType):
        item, wanted = given.elementType, held.elementType
        return sf.transform(column, lambda one: conform(one, item, wanted))
    if isinstance(given, spark.MapType) and isinstance(held, spark.MapType):
        keys, kept = given.keyType, held.keyType
        values, wanted = given.valueType, held.valueType
        found = sf.transform_values(column, lambda _, value: conform(value, values, wanted))
        return sf.transform_keys(found, lambda key, _: conform(key, keys, kept))
    return column.cast(held)


def _fields(column: Column, given: spark.StructType, held: spark.StructType) -> Iterator[Column]:
    there = {field.name: field.dataType for field in given}
    for field in held:
        if field.name in there:
            value = conform(column.getField(field.name), there[field.name], field.dataType)
        else:
            value = sf.lit(None).cast(field.dataType)
        yield value.alias(field.name)


def ddl(type_: spark.DataType) -> str:
    """Return a type in Spark's SQL, whatever its fields are called. What is inside may be null."""
    if isinstance(type_, spark.StructType):
        inside = ", ".join(f"{quoted(field.name)}: {ddl(field.dataType)}" for field in type_)
        return f"STRUCT<{inside}>"
    if isinstance(type_, spark.ArrayType):
        return f"ARRAY<{ddl(type_.elementType)}>"
    if isinstance(type_, spark.MapType):
        return f"MAP<{ddl(type_.keyType)}, {ddl(type_.valueType)}>"
    return str(type_.simpleString())


def quoted(name: str) -> str:
    """Return a name in Spark's SQL."""
    return "`" + name.replace("`", "``") + "`"
