"""What a file says is what is sent: every type, through JSON Lines, CSV and Parquet, value for value."""

from __future__ import annotations

import csv
import json
import math
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headwater.produce.rows import open_source
from pipeline.avro.encode import encoder
from pipeline.rows.convert import row_converter
from tests.support import avro_java
from tests.support.avro_plain import decode
from tests.support.drawn_rows import NULL_TEXTS, Drawn, fields, record


@st.composite
def tables(draw: st.DrawFn) -> tuple[Drawn, list[Any]]:
    numbers = count()
    columns = draw(st.lists(fields(lambda: f"N{next(numbers)}", 2), min_size=1, max_size=4))
    row = record(columns, "Row")
    return row, draw(st.lists(row.values, min_size=1, max_size=4))


def sent(path: Path, schema: Any) -> list[Any]:
    """Return what a reader of the topic would find, having shown the bytes to Avro Java."""
    source = open_source(str(path))
    convert, encode = row_converter(schema, texts=source.texts), encoder(schema)
    found = list(source.rows())
    assert [row.problem for row in found if row.problem] == []
    payloads = [encode(convert(row.values or {})) for row in found]
    values = [decode(schema, payload) for payload in payloads]
    by_java = avro_java.resolve(schema, schema, payloads)
    assert same([decode(schema, one) for one in by_java if isinstance(one, bytes)], values)
    return [unscaled(schema, value) for value in values]


def unscaled(schema: Any, value: Any) -> Any:
    """Return a decoded value with its decimals' bytes as the numbers they are."""
    if isinstance(schema, list):
        return value if value is None else unscaled(next(s for s in schema if s != "null"), value)
    if not isinstance(schema, dict):
        return value
    match schema["type"]:
        case "record":
            return {f["name"]: unscaled(f["type"], value[f["name"]]) for f in schema["fields"]}
        case "array":
            return [unscaled(schema["items"], one) for one in value]
        case "map":
            return {key: unscaled(schema["values"], one) for key, one in value.items()}
    decimal = isinstance(value, bytes) and schema.get("logicalType") == "decimal"
    return int.from_bytes(value, "big", signed=True) if decimal else value


def same(left: Any, right: Any) -> bool:
    if isinstance(left, float) and isinstance(right, float):
        signs = math.copysign(1, left) == math.copysign(1, right)
        return (math.isnan(left) and math.isnan(right)) or (left == right and signs)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    return type(left) is type(right) and bool(left == right)


def as_csv(row: Drawn, rows: list[Any], path: Path) -> list[Any]:
    """Write rows to a CSV, and return what they must become: the format has one text for no value."""
    wanted = []
    fields = {f["name"]: f["type"] for f in row.schema["fields"]}
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(fields)
        for one in rows:
            written = json.loads(
                row.text(one), parse_float=_Raw, parse_int=_Raw, parse_constant=_Raw
            )
            cells = {name: _cell(written[name]) for name in fields}
            wanted.append(
                {
                    name: None
                    if isinstance(kind, list)
                    and cells[name] in NULL_TEXTS
                    and not _symbol(kind, cells[name])
                    else one[name]
                    for name, kind in fields.items()
                }
            )
            writer.writerow(cells.values())
    return wanted


class _Raw(str):
    __slots__ = ()


def _cell(value: Any) -> str:
    if isinstance(value, dict | list):
        return _dumped(value)
    return "" if value is None else {True: "true", False: "false"}.get(value, str(value))


def _dumped(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k)}:{_dumped(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_dumped, value)) + "]"
    return str(value) if isinstance(value, _Raw) else json.dumps(value)


def _symbol(kind: list[Any], text: str) -> bool:
    return any(isinstance(one, dict) and text in one.get("symbols", ()) for one in kind)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


@given(tables())
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_value_comes_through_json_lines(folder: Path, table: tuple[Drawn, list[Any]]) -> None:
    row, rows = table
    path = folder / "t.jsonl"
    path.write_text("".join(f"{row.text(one)}\n" for one in rows), encoding="utf-8")
    assert same(sent(path, row.schema), rows)


@given(tables())
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_value_comes_through_csv(folder: Path, table: tuple[Drawn, list[Any]]) -> None:
    row, rows = table
    path = folder / "t.csv"
    wanted = as_csv(row, rows, path)
    if any(_has_no_text(f["type"], one[f["name"]]) for f in row.schema["fields"] for one in rows):
        return
    assert same(sent(path, row.schema), wanted)


def _has_no_text(kind: Any, value: Any) -> bool:
    """Whether a CSV has no text for a value: NaN where there must be one stands for none."""
    return kind in ("float", "double") and math.isnan(value)


@given(tables())
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_value_comes_through_parquet(folder: Path, table: tuple[Drawn, list[Any]]) -> None:
    row, rows = table
    path = folder / "t.parquet"
    schema = pa.schema(list(row.arrow))
    pq.write_table(pa.Table.from_pylist([row.python(one) for one in rows], schema=schema), path)
    assert same(sent(path, row.schema), rows)
