"""Spines: their times in every form, and their files."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from pipeline.features.files import RowsFileError, read_rows, write_rows
from pipeline.features.times import KnownAt, TimeInvalidError, instants, parse_known_at

FIVE = datetime(2026, 1, 1, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-01T05:00:00Z",
        "2026-01-01 05:00:00",
        " 2026-01-01T05:00 ",
        "2026-01-01T05:00:00.0000009",
        "2026-01-01T07:00:00+02:00",
        "2026-01-01T00:00-0500",
    ],
)
def test_texts_in_iso_8601_are_utc_unless_they_name_a_zone(text: str) -> None:
    spine = pl.DataFrame({"t": [text, "2026-01-02", None]})
    assert instants(spine, "t").to_list() == [FIVE, datetime(2026, 1, 2, tzinfo=UTC), None]


def test_timestamps_of_any_unit_and_zone_and_dates_are_instants() -> None:
    naive = FIVE.replace(tzinfo=None)
    spine = pl.DataFrame(
        {
            "milliseconds": pl.Series([naive], dtype=pl.Datetime("ms")),
            "zoned": pl.Series([FIVE], dtype=pl.Datetime("ns", "Asia/Tokyo")),
            # A time between two microseconds knows no more than the earlier one.
            "before_1970": pl.Series([-1_500], dtype=pl.Int64).cast(pl.Datetime("ns")),
            "day": [date(2026, 1, 1)],
        }
    )
    assert instants(spine, "milliseconds").to_list() == [FIVE]
    assert instants(spine, "zoned").to_list() == [FIVE]
    assert instants(spine, "before_1970").dt.timestamp("us").to_list() == [-2]
    assert instants(spine, "day").to_list() == [FIVE.replace(hour=0)]


def test_what_is_no_time_is_named() -> None:
    spine = pl.DataFrame({"t": ["2026-01-01", "25:00", "never"], "n": [1, 2, 3]})
    with pytest.raises(TimeInvalidError, match=r"'25:00' in row 2 is no time \(2 rows"):
        instants(spine, "t")
    with pytest.raises(TimeInvalidError, match="of type Int64"):
        instants(spine, "n")
    with pytest.raises(TimeInvalidError, match="has no column at"):
        instants(spine, "at")


def test_known_at_is_now_a_time_a_column_or_the_event_time() -> None:
    assert parse_known_at(None) == KnownAt()
    assert parse_known_at("now", clock=lambda: FIVE) == KnownAt(instant=FIVE)
    assert parse_known_at("2026-01-01T05:00") == KnownAt(instant=FIVE)
    assert parse_known_at("column:scored at") == KnownAt(column="scored at")
    with pytest.raises(TimeInvalidError, match="'soon' is no time"):
        parse_known_at("soon")


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
def test_rows_come_back_from_their_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"rows{suffix}"
    rows = pl.DataFrame({"user_id": ["007", None], "n": [1, None], "t": [FIVE, None]})
    write_rows(path, rows)
    back = read_rows(path, {"user_id": pl.String(), "elsewhere": pl.Int64()})
    assert back.select("user_id", "n").equals(rows.select("user_id", "n"))
    assert instants(back, "t").to_list() == [FIVE, None]


def test_ids_of_a_csv_are_the_tables_or_what_they_are_written_as(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    names = "user_id,n,fee,on,day,code,price,size,big"
    path.write_text(f"{names}\n7,7,1.5,true,2026-01-01,007,1.50,1.5,9223372036854775808\n")
    types = {
        "user_id": pl.String(),
        "n": pl.Int32(),
        "fee": pl.Decimal(9, 2),
        "on": pl.Boolean(),
        "day": pl.Date(),
    }
    back = read_rows(path, types)
    assert back.to_dicts() == [
        {
            "user_id": "7",
            "n": 7,
            "fee": Decimal("1.50"),
            "on": True,
            "day": "2026-01-01",
            "code": "007",
            "price": "1.50",
            "size": 1.5,
            "big": "9223372036854775808",
        }
    ]
    path.write_text("fee\n1.555\n")
    with pytest.raises(RowsFileError, match="more than 2 digits after the point"):
        read_rows(path, types)


@pytest.mark.parametrize("value", ["x", "1.5", "9223372036854775808"])
def test_a_value_that_is_not_of_the_tables_type_is_named(tmp_path: Path, value: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(f"n\n{value}\n")
    with pytest.raises(RowsFileError, match=value):
        read_rows(path, {"n": pl.Int64()})


def test_values_of_json_lines_stay_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"user_id": "007", "n": 9007199254740993}\n{"user_id": "8", "n": 1}\n')
    back = read_rows(path, {"user_id": pl.String(), "n": pl.Int64()})
    assert back.to_dicts() == [{"user_id": "007", "n": 2**53 + 1}, {"user_id": "8", "n": 1}]


def test_a_file_stays_as_it_was_when_its_format_cannot_hold_the_rows(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("as it was")
    with pytest.raises(RowsFileError, match="lists and structs"):
        write_rows(path, pl.DataFrame({"list": [[1, 2]]}))
    assert path.read_text() == "as it was"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(RowsFileError, match="names no format"):
        read_rows(tmp_path / "rows.xlsx", {})
