"""Rows of drawn types, told thrice: as Avro holds them, as JSON text and as Arrow's values.

What a file says is made here from the drawn value by plain arithmetic, never by the code that reads it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Context, Decimal
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a wall's time
FIRST = (datetime(1, 1, 1) - EPOCH) // timedelta(microseconds=1)  # noqa: DTZ001
LAST = (datetime(9999, 12, 31, 23, 59, 59) - EPOCH) // timedelta(microseconds=1)  # noqa: DTZ001
NULL_TEXTS = ("", "NA", "NaN", "null", "NULL")


@dataclass(frozen=True)
class Drawn:
    """A type: its Avro schema, values as the encoder must write them, and their other forms.

    `text` gives a JSON text, `python` what pyarrow makes an array of `arrow` from.
    """

    schema: Any
    values: SearchStrategy[Any]
    text: Callable[[Any], str]
    arrow: pa.DataType
    python: Callable[[Any], Any] = lambda value: value


def leaf(schema: Any, values: SearchStrategy[Any], arrow: pa.DataType, **more: Any) -> Drawn:
    return Drawn(schema, values, more.pop("text", json.dumps), arrow, **more)


def at(per_second: int) -> Callable[[int], datetime]:
    return lambda count: EPOCH + timedelta(microseconds=count * (10**6 // per_second))


def time_of(per_second: int) -> Callable[[int], time]:
    return lambda count: (EPOCH + timedelta(microseconds=count * (10**6 // per_second))).time()


def day_of(count: int) -> date:
    return EPOCH.date() + timedelta(days=count)


def times(logical: str, unit: str, zone: str | None) -> Drawn:
    per_second = {"ms": 1000, "us": 10**6}[unit]
    step = 10**6 // per_second
    python = at(per_second)
    return leaf(
        {"type": "long", "logicalType": logical},
        st.integers(FIRST // step + 1, LAST // step),
        pa.timestamp(unit, zone),
        text=lambda count: f'"{python(count).isoformat()}{"Z" if zone else ""}"',
        python=python,
    )


def clocks(logical: str, base: str, unit: str) -> Drawn:
    per_second = {"ms": 1000, "us": 10**6}[unit]
    python = time_of(per_second)
    return leaf(
        {"type": base, "logicalType": logical},
        st.integers(0, 86_400 * per_second - 1),
        pa.time32("ms") if unit == "ms" else pa.time64("us"),
        text=lambda count: f'"{python(count).isoformat()}"',
        python=python,
    )


def decimals(precision: int, scale: int, fixed: str | None) -> Drawn:
    exact = Context(prec=100)

    def python(number: int) -> Decimal:
        return Decimal(number).scaleb(-scale, exact)

    base: Any = {"type": "bytes"} if fixed is None else {"type": "fixed", "name": fixed, "size": 17}
    return leaf(
        base | {"logicalType": "decimal", "precision": precision, "scale": scale},
        st.integers(1 - 10**precision, 10**precision - 1),
        pa.decimal128(precision, scale),
        text=lambda number: format(python(number), "f"),
        python=python,
    )


def number_text(value: float) -> str:
    if math.isfinite(value):
        return repr(value)
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def latin(value: bytes) -> str:
    return json.dumps(value.decode("latin-1"))


@st.composite
def types(draw: DrawFn, name: Callable[[], str], depth: int = 2) -> Drawn:
    """Draw a type; `name` gives each record, enum and fixed a name of its own."""
    kinds = [*LEAVES, "fixed", "enum", "decimal", "decimal_fixed"]
    if depth:
        kinds += ["record", "array", "map"]
    kind = draw(st.sampled_from(kinds))
    if kind in LEAVES:
        return LEAVES[kind]
    if kind == "fixed":
        schema = {"type": "fixed", "name": name(), "size": 4}
        return leaf(schema, st.binary(min_size=4, max_size=4), pa.binary(4), text=latin)
    if kind == "enum":
        symbols = ["A", "B", "NA", "null"]
        schema = {"type": "enum", "name": name(), "symbols": symbols}
        return leaf(schema, st.sampled_from(symbols), pa.dictionary(pa.int32(), pa.string()))
    if kind in ("decimal", "decimal_fixed"):
        precision = draw(st.integers(1, 38))
        scale = draw(st.integers(0, precision))
        return decimals(precision, scale, None if kind == "decimal" else name())
    if kind == "record":
        return record(draw(st.lists(fields(name, depth - 1), min_size=1, max_size=3)), name())
    inner = draw(fields(name, depth - 1))
    return array(inner) if kind == "array" else map_of(inner)


def fields(name: Callable[[], str], depth: int) -> SearchStrategy[Drawn]:
    return st.tuples(types(name, depth), st.sampled_from([None, "first", "last"])).map(nullable)


def nullable(found: tuple[Drawn, str | None]) -> Drawn:
    of, where = found
    if where is None:
        return of
    return Drawn(
        ["null", of.schema] if where == "first" else [of.schema, "null"],
        st.none() | of.values,
        lambda value: "null" if value is None else of.text(value),
        of.arrow,
        lambda value: None if value is None else of.python(value),
    )


def record(columns: list[Drawn], name: str) -> Drawn:
    named = {f"f{number}": of for number, of in enumerate(columns)}
    fields = [{"name": field, "type": of.schema} for field, of in named.items()]
    return Drawn(
        {"type": "record", "name": name, "fields": fields},
        st.fixed_dictionaries({field: of.values for field, of in named.items()}),
        lambda row: (
            "{" + ",".join(f'"{field}":{of.text(row[field])}' for field, of in named.items()) + "}"
        ),
        pa.struct([pa.field(field, of.arrow) for field, of in named.items()]),
        lambda row: {field: of.python(row[field]) for field, of in named.items()},
    )


def array(of: Drawn) -> Drawn:
    return Drawn(
        {"type": "array", "items": of.schema},
        st.lists(of.values, max_size=3),
        lambda value: "[" + ",".join(map(of.text, value)) + "]",
        pa.list_(of.arrow),
        lambda value: [of.python(one) for one in value],
    )


def map_of(of: Drawn) -> Drawn:
    return Drawn(
        {"type": "map", "values": of.schema},
        st.dictionaries(TEXTS, of.values, max_size=3),
        lambda value: (
            "{" + ",".join(f"{json.dumps(k)}:{of.text(one)}" for k, one in value.items()) + "}"
        ),
        pa.map_(pa.string(), of.arrow),
        lambda value: [(key, of.python(one)) for key, one in value.items()],
    )


TEXTS = st.text(max_size=8) | st.sampled_from(
    ["00501", "NA", "", "1e5", '"', "a,b\r\n", "\0", "\r"]
)
LEAVES = {
    "boolean": leaf("boolean", st.booleans(), pa.bool_()),
    "int": leaf("int", st.integers(-(2**31), 2**31 - 1), pa.int32()),
    "long": leaf("long", st.integers(-(2**63), 2**63 - 1), pa.int64()),
    "float": leaf("float", st.floats(width=32), pa.float32(), text=number_text),
    "double": leaf("double", st.floats(), pa.float64(), text=number_text),
    "string": leaf("string", TEXTS, pa.string()),
    "bytes": leaf("bytes", st.binary(max_size=8), pa.binary(), text=latin),
    "date": leaf(
        {"type": "int", "logicalType": "date"},
        st.integers(FIRST // 86_400_000_000 + 1, LAST // 86_400_000_000),
        pa.date32(),
        text=lambda count: f'"{day_of(count).isoformat()}"',
        python=day_of,
    ),
    "time-millis": clocks("time-millis", "int", "ms"),
    "time-micros": clocks("time-micros", "long", "us"),
    "timestamp-millis": times("timestamp-millis", "ms", "UTC"),
    "timestamp-micros": times("timestamp-micros", "us", "UTC"),
    "local-timestamp-millis": times("local-timestamp-millis", "ms", None),
    "local-timestamp-micros": times("local-timestamp-micros", "us", None),
    "uuid": leaf({"type": "string", "logicalType": "uuid"}, st.uuids().map(str), pa.string()),
    "ignored": leaf(
        {"type": "string", "logicalType": "decimal", "precision": 4, "scale": 2}, TEXTS, pa.string()
    ),
}
