"""JSON read in columns: each row that is read has the values that Python's own JSON says, and no other."""

from __future__ import annotations

import json
import math
import struct
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.avro import arrow
from pipeline.rows import json_columns
from pipeline.rows.convert import row_converter
from pipeline.rows.json_columns import JsonReader, JsonRows
from pipeline.rows.json_text import parse_json
from pipeline.rows.json_value import json_decoder
from pipeline.rows.json_write import json_encoder

MICROS = {"type": "long", "logicalType": "timestamp-micros"}
MILLIS = {"type": "long", "logicalType": "timestamp-millis"}
PRICE = {"type": "bytes", "logicalType": "decimal", "precision": 6, "scale": 2}
PART = {"type": "record", "name": "Part", "fields": [
    {"name": "q", "type": "long"}, {"name": "w", "type": ["null", "string"]},
]}  # fmt: skip
SCHEMA: dict[str, Any] = {"type": "record", "name": "R", "fields": [
    {"name": "text", "type": "string"},
    {"name": "int", "type": ["null", "int"]},
    {"name": "long", "type": ["null", "long"]},
    {"name": "flag", "type": ["null", "boolean"]},
    {"name": "double", "type": ["null", "double"]},
    {"name": "float", "type": ["null", "float"]},
    {"name": "micros", "type": ["null", MICROS]},
    {"name": "millis", "type": ["null", MILLIS]},
    {"name": "day", "type": ["null", {"type": "int", "logicalType": "date"}]},
    {"name": "price", "type": ["null", PRICE]},
    {"name": "state", "type": ["null", {"type": "enum", "name": "State", "symbols": ["on", "off"]}]},
    {"name": "tags", "type": ["null", {"type": "array", "items": "string"}]},
    {"name": "part", "type": ["null", PART]},
    {"name": "parts", "type": ["null", {"type": "array", "items": ["null", "Part"]}]},
    {"name": "other", "type": "string", "default": "standard"},
]}  # fmt: skip
COLUMNS = pa.schema(arrow.fields(SCHEMA))
LIMIT = 10_000

TEXTS = st.text(max_size=6)
WHOLE = st.integers(-(2**65), 2**65) | st.integers(-3, 3)
NUMBERS = WHOLE | st.floats() | st.decimals(-10_000, 10_000, places=3).map(float)
TIMES = st.datetimes().map(lambda at: f"{at.isoformat()}Z") | st.datetimes().map(datetime.isoformat)
ANY = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS | TIMES | st.dates().map(date.isoformat)
    | st.sampled_from(["on", "off", "12.50", "2026-02-30", "0000-01-01T00:00:00Z", "2026-01-01T23:59:60Z"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("qw"), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip
FITTING: dict[str, st.SearchStrategy[Any]] = {
    "text": TEXTS,
    "int": st.none() | st.integers(-(2**31), 2**31 - 1),
    "long": st.none() | st.integers(-(2**63), 2**63 - 1),
    "flag": st.none() | st.booleans(),
    "double": st.none() | st.floats(allow_nan=False, allow_infinity=False),
    "float": st.none() | st.floats(width=32, allow_nan=False, allow_infinity=False),
    "micros": st.none() | st.datetimes().map(lambda at: f"{at.isoformat()}Z"),
    "millis": st.none()
    | st.datetimes().map(lambda at: f"{at.isoformat(timespec='milliseconds')}Z"),
    "day": st.none() | st.dates().map(date.isoformat),
    "price": st.none() | st.decimals(-9_999, 9_999, places=2).map(str),
    "state": st.none() | st.sampled_from(["on", "off"]),
    "tags": st.none() | st.lists(TEXTS, max_size=3),
    "part": st.none() | st.fixed_dictionaries({"q": st.integers(-9, 9), "w": st.none() | TEXTS}),
    "parts": st.none()
    | st.lists(st.none() | st.fixed_dictionaries({"q": st.integers(-9, 9)}), max_size=3),
    "other": TEXTS,
}
ROWS = st.fixed_dictionaries(FITTING)
# One field in three of what may not fit; names that the schema does not have; bytes that are no JSON.
WILD = st.builds(
    lambda row, changed, dropped: {k: v for k, v in {**row, **changed}.items() if k not in dropped},
    ROWS,
    st.dictionaries(st.sampled_from([*FITTING, "unknown"]), ANY, max_size=5),
    st.sets(st.sampled_from([*FITTING]), max_size=2),
)
ENCODED = WILD.map(lambda row: json.dumps(row).encode())
BROKEN = st.builds(
    lambda value, at, put: value[: at % (len(value) + 1)] + put + value[at % (len(value) + 1) :],
    ENCODED,
    st.integers(0, 5_000),
    st.sampled_from([b"", b"}", b"{", b'"', b"\\", b"\xff", b"\0", b"\n", b",", b"{}", b"[", b"]"]),
)


@pytest.fixture(scope="module", autouse=True)
def every_row_alone() -> Any:
    """What cannot be read does not take others along, so that all can be looked at."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_columns, "FEWEST", 1)
        yield


def read(values: list[bytes], reader: JsonReader | None = None) -> JsonRows:
    lengths = np.array([len(one) for one in values], np.int64)
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64)
    data = np.frombuffer(b"".join(values) + b" ", np.uint8)
    return (reader or JsonReader(SCHEMA, COLUMNS)).read(data, starts, lengths, LIMIT)


def said(row: dict[str, Any]) -> dict[str, Any]:
    """Return what a row says, by Python's own JSON and dates."""
    told: dict[str, Any] = {name: row.get(name) for name in FITTING}
    for name in ("double", "float"):
        told[name] = None if told[name] is None else float(told[name])
    if told["float"] is not None:
        (told["float"],) = struct.unpack("<f", struct.pack("<f", told["float"]))
    for name, per_second in (("micros", 1_000_000), ("millis", 1_000)):
        told[name] = _instant(told[name], per_second)
    told["day"] = None if told["day"] is None else date.fromisoformat(told["day"])
    told["price"] = None if told["price"] is None else Decimal(str(told["price"]))
    told["part"] = _part(told["part"])
    told["parts"] = None if told["parts"] is None else [_part(one) for one in told["parts"]]
    return told


def _part(one: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if one is None else {"q": one["q"], "w": one.get("w")}


def _instant(value: Any, per_second: int) -> datetime | None:
    if value is None:
        return None
    if isinstance(value, int):
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(
            microseconds=value * (1_000_000 // per_second)
        )
    return datetime.fromisoformat(value)


@settings(max_examples=40)
@given(st.lists(ROWS, min_size=1, max_size=8))
def test_rows_that_fit_are_read_with_their_values(given_rows: list[dict[str, Any]]) -> None:
    values = [json.dumps(row, ensure_ascii=n % 2 == 0).encode() for n, row in enumerate(given_rows)]
    found = read(values)
    assert found.rows.tolist() == [*range(len(values))]
    assert found.table.schema == COLUMNS
    assert found.table.to_pylist() == [said(row) for row in given_rows]


@settings(max_examples=80)
@given(st.lists(ENCODED | BROKEN | st.binary(max_size=20), min_size=1, max_size=6))
def test_what_is_read_in_columns_is_what_reading_it_alone_gives(values: list[bytes]) -> None:
    """Whatever the value: what reads it alone is held to every conversion by other tests."""
    alone = json_decoder(SCHEMA)
    found = read(values)
    for row, together in zip(found.rows.tolist(), found.table.to_pylist(), strict=True):
        fields = alone(values[row].removeprefix(b"\0"))
        (expected,) = pa.Table.from_pylist([fields], schema=COLUMNS).to_pylist()
        assert same(together, expected), values[row]


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(one[k] == other[k] or (math.isnan(one[k]) and math.isnan(other[k])) for k in one)


def test_a_value_that_cannot_be_read_takes_few_along(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_columns, "FEWEST", 16)
    row = dict.fromkeys(FITTING) | {"text": "a", "other": "b"}
    values = [json.dumps(row | {"long": n}).encode() for n in range(1_000)]
    values[500] = values[500][:-1]
    values[700] = json.dumps(row | {"long": "no"}).encode()
    found = read(values)
    assert 1_000 - len(found.rows) <= 1 + 16
    assert found.table["long"].to_pylist() == found.rows.tolist()


def test_times_are_texts_or_numbers_and_may_change() -> None:
    reader = JsonReader(SCHEMA, COLUMNS)
    row = dict.fromkeys(FITTING) | {"text": "a", "other": "b"}
    as_text = [json.dumps(row | {"micros": "2026-01-05T10:01:00Z"}).encode()] * 3
    as_number = [json.dumps(row | {"micros": 1_767_607_260_000_000}).encode()] * 3
    for values in (as_text, as_number, as_number, as_text):
        found = read(values, reader)
        assert found.table["micros"].to_pylist() == [datetime(2026, 1, 5, 10, 1, tzinfo=UTC)] * 3


def test_framing_is_passed_over_and_too_long_is_left_out() -> None:
    row = json.dumps(dict.fromkeys(FITTING) | {"text": "a", "other": "b"}).encode()
    long = json.dumps(dict.fromkeys(FITTING) | {"text": "a" * LIMIT, "other": "b"}).encode()
    assert read([b"\0\0\0\0\1" + row, long, b"\0\0\0\0\1", b""]).rows.tolist() == [0]


@pytest.mark.parametrize(
    "type_", [{"type": "map", "values": "int"}, "bytes", ["null", "int", "string"]]
)
def test_types_that_are_read_one_by_one_are_told(type_: Any) -> None:
    schema = {"type": "record", "name": "R", "fields": [{"name": "a", "type": type_}]}
    columns = pa.schema([pa.field("a", pa.string())])
    assert "a is " in (JsonReader(schema, columns).slow_reason or "")


@settings(max_examples=40)
@given(ROWS)
def test_what_is_written_is_read_back(row: dict[str, Any]) -> None:
    value = json.dumps(row).encode()
    payload = row_converter(SCHEMA, texts=False)(parse_json(value.decode()))
    read_alone = json_decoder(SCHEMA)
    assert same(read_alone(json_encoder(SCHEMA)(payload)), read_alone(value))
