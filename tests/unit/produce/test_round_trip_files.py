"""What a file says is what is sent: every type, through JSON Lines, CSV and Parquet, value for value."""

from __future__ import annotations

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
from tests.support.drawn_files import as_csv, has_no_text, same
from tests.support.drawn_rows import Drawn, fields, record

pytestmark = pytest.mark.java


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
    if any(has_no_text(f["type"], one[f["name"]]) for f in row.schema["fields"] for one in rows):
        return
    assert same(sent(path, row.schema), wanted)


@given(tables())
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_value_comes_through_parquet(folder: Path, table: tuple[Drawn, list[Any]]) -> None:
    row, rows = table
    path = folder / "t.parquet"
    schema = pa.schema(list(row.arrow))
    pq.write_table(pa.Table.from_pylist([row.python(one) for one in rows], schema=schema), path)
    assert same(sent(path, row.schema), rows)
