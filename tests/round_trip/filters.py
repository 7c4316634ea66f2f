"""Asking each engine for the rows of which a column is equal to, less than, or null; and what is right.

Wrong bounds of files hide rows from such questions and from nothing else.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import duckdb
from hypothesis import strategies as st
from pyiceberg.expressions import BooleanExpression, EqualTo, IsNull, LessThan, Reference
from pyiceberg.expressions.literals import DateLiteral, TimestampLiteral
from pyiceberg.table import Table

from tests.round_trip.avro import Type
from tests.round_trip.readers import InSpark

NESTED = ("record", "array", "map")
Answers = list[list[int]]
"""The offsets that each question has for an answer, in order."""


@dataclass(frozen=True)
class Question:
    """Which rows have `value` in `column` (`=`), less than it (`<`), or null there (`null`)."""

    column: str
    type: Type
    comparison: str
    value: Any

    def holds(self, row: Mapping[str, Any]) -> bool:
        """Return whether a row is among the answers."""
        found = row[self.column]
        if self.comparison == "null" or found is None:
            return self.comparison == "null" and found is None
        mine, other = _number(self.type, found), _number(self.type, self.value)
        return bool(mine == other if self.comparison == "=" else mine < other)


@st.composite
def questions(
    draw: st.DrawFn, types: Mapping[str, Type], rows: Sequence[Mapping[str, Any]], most: int = 4
) -> list[Question]:
    """Draw questions about values that rows have."""
    columns = [name for name, type_ in types.items() if type_.held.kind not in NESTED]
    asked = []
    for _ in range(draw(st.integers(min(2, most), most))):
        name = draw(st.sampled_from(columns))
        held = types[name].held
        value = draw(st.sampled_from(rows))[name]
        comparison = draw(st.sampled_from(["=", "=", "<"]))
        if value is None or not _is_asked_for(held, value):
            comparison = "null"
        asked.append(Question(name, held, comparison, value))
    return asked


def right(asked: Sequence[Question], rows: Sequence[Mapping[str, Any]]) -> Answers:
    """Return the answers that plain Python finds in what was sent."""
    return [sorted(row["_offset"] for row in rows if one.holds(row)) for one in asked]


def of_pyiceberg(asked: Sequence[Question], table: Table) -> Answers:
    """Return PyIceberg's answers."""
    return [
        sorted(
            table.scan(row_filter=_expression(one), selected_fields=("_offset",))
            .to_arrow()["_offset"]
            .to_pylist()
        )
        for one in asked
    ]


def of_spark(asked: Sequence[Question], table: Table, spark: InSpark) -> Answers:
    """Return Spark's answers, to all of them in one job."""
    name = spark.name(table)
    text = " UNION ALL ".join(
        f"SELECT {at} AS asked, _offset FROM {name} WHERE {_condition(one, '`', _in_spark)}"
        for at, one in enumerate(asked)
    )
    found = spark.session.sql(text).toArrow().to_pylist()
    return _sorted(asked, [(row["asked"], row["_offset"]) for row in found])


def of_duckdb(asked: Sequence[Question], table: Table) -> Answers:
    """Return DuckDB's answers over the table's files: their own bounds count, not Iceberg's."""
    files = [task.file.file_path for task in table.scan().plan_files()]
    read = "read_parquet($files, hive_partitioning = false)"
    text = " UNION ALL ".join(
        f"SELECT {at} AS asked, _offset FROM {read} WHERE {_condition(one, chr(34), _in_duckdb)}"
        for at, one in enumerate(asked)
    )
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return _sorted(asked, connection.execute(text, {"files": files}).fetchall())


def _sorted(asked: Sequence[Question], found: Sequence[tuple[int, int]]) -> Answers:
    return [sorted(offset for at, offset in found if at == place) for place in range(len(asked))]


def _is_asked_for(type_: Type, value: Any) -> bool:
    """Return whether engines agree on a value: not on NaN, nor PyIceberg 0.12 on a float's infinities."""
    number = _number(type_, value)
    return number == number and not (type_.kind == "float" and math.isinf(number))


def _number(type_: Type, value: Any) -> Any:
    """Return a value that compares as it should: floats come as their bits."""
    if type_.kind == "float":
        return struct.unpack("<f", struct.pack("<i", value))[0]
    if type_.kind == "double":
        return struct.unpack("<d", struct.pack("<q", value))[0]
    return value


def _expression(one: Question) -> BooleanExpression:
    column = Reference(one.column)
    if one.comparison == "null":
        return IsNull(term=column)
    return (EqualTo if one.comparison == "=" else LessThan)(term=column, value=_literal(one))


def _literal(one: Question) -> Any:
    logical = one.type.logical or ""
    if logical == "date":
        return DateLiteral(one.value)
    if "timestamp" in logical:
        return TimestampLiteral(one.value)
    return _decimal(one) if logical == "decimal" else _number(one.type, one.value)


def _decimal(one: Question) -> Decimal:
    digits = tuple(map(int, str(abs(one.value))))
    return Decimal((int(one.value < 0), digits, -one.type.more.get("scale", 0)))


def _condition(one: Question, quote: str, literal: Callable[[Question], str]) -> str:
    column = f"{quote}{one.column}{quote}"
    if one.comparison == "null":
        return f"{column} IS NULL"
    return f"{column} {one.comparison} {literal(one)}"


def _in_spark(one: Question) -> str:
    logical, kind = one.type.logical or "", one.type.kind
    if logical == "date":
        return f"date_from_unix_date({one.value})"
    if "timestamp" in logical:
        plain = f"timestamp_micros(CAST('{one.value}' AS BIGINT))"
        return f"CAST({plain} AS TIMESTAMP_NTZ)" if logical.startswith("local") else plain
    if kind in ("string", "enum"):
        return f"CAST(X'{one.value.encode().hex()}' AS STRING)"
    if logical != "decimal" and kind in ("bytes", "fixed"):
        return f"X'{one.value.hex()}'"
    return _cast(one)


def _in_duckdb(one: Question) -> str:
    logical, kind = one.type.logical or "", one.type.kind
    if logical == "date":
        return f"(DATE '1970-01-01' + CAST({one.value} AS INTEGER))"
    if "timestamp" in logical:
        plain = f"make_timestamp(CAST('{one.value}' AS BIGINT))"
        return plain if logical.startswith("local") else f"CAST({plain} AS TIMESTAMPTZ)"
    if kind in ("string", "enum"):
        return f"decode(unhex('{one.value.encode().hex()}'))"
    if logical != "decimal" and kind in ("bytes", "fixed"):
        return f"unhex('{one.value.hex()}')"
    return _cast(one)


def _cast(one: Question) -> str:
    if one.type.logical == "decimal":
        precision, scale = one.type.more["precision"], one.type.more.get("scale", 0)
        return f"CAST('{_decimal(one):f}' AS DECIMAL({precision}, {scale}))"
    of = {
        "int": "INT",
        "long": "BIGINT",
        "float": "FLOAT",
        "double": "DOUBLE",
        "boolean": "BOOLEAN",
    }
    value = _number(one.type, one.value)
    text = {"inf": "Infinity", "-inf": "-Infinity"}.get(repr(value), repr(value).lower())
    return f"CAST('{text}' AS {of[one.type.kind]})"
