"""Bounds of data files: no row is outside them, or there are none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.conversions import from_bytes
from pyiceberg.schema import Schema
from pyiceberg.types import BinaryType, DoubleType, NestedField, PrimitiveType, StringType

from pipeline.tables.data_files.bounds import next_text, statistics_of

TYPES: dict[pa.DataType, PrimitiveType] = {
    pa.string(): StringType(),
    pa.binary(): BinaryType(),
    pa.float64(): DoubleType(),
}


def bounds(folder: Path, type_: pa.DataType, *groups: list[Any]) -> tuple[Any, Any]:
    """Return the least and the most that a file of these row groups says its column holds."""
    file = folder / "data.parquet"
    columns = pa.schema([("c", type_)])
    with pq.ParquetWriter(file, columns) as writer:
        for group in groups:
            writer.write(pa.table({"c": pa.array(group, type_)}))
    iceberg = TYPES[type_]
    schema = Schema(NestedField(1, "c", iceberg, required=False))
    found = statistics_of(pq.read_metadata(file), schema, {}).to_serialized_dict()
    least, most = (found[f"{side}_bounds"].get(1) for side in ("lower", "upper"))
    return tuple(None if one is None else from_bytes(iceberg, one) for one in (least, most))  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("text", "above"),
    [
        ("ab", "ac"),
        ("a\U0010ffff", "b"),
        ("\U0010ffff", None),
        ("a\ud7ff", "a\ue000"),
        ("", None),
        ("a\uffff", "a\U00010000"),
    ],
)
def test_the_next_text_is_the_least_above_all_that_begin_so(text: str, above: str | None) -> None:
    assert next_text(text) == above


@pytest.mark.parametrize("texts", [["\ud7ff" * 17], ["\U0010ffff" * 17], ["a" * 40, "b"]])
def test_every_text_lies_within_its_columns_bounds(tmp_path: Path, texts: list[str]) -> None:
    least, most = bounds(tmp_path, pa.string(), texts)
    assert all(least <= text and (most is None or text <= most) for text in texts)


@pytest.mark.parametrize(("type_", "one"), [(pa.string(), "z"), (pa.binary(), b"z")])
def test_a_column_of_which_parquet_bounds_a_part_has_no_bounds(
    tmp_path: Path, type_: pa.DataType, one: Any
) -> None:
    assert bounds(tmp_path, type_, [one], [one * 5000, None]) == (None, None)
    assert bounds(tmp_path, type_, [one], [None, None]) == (one, one)


def test_nan_is_within_no_bounds_and_takes_none_away(tmp_path: Path) -> None:
    nan = float("nan")
    assert bounds(tmp_path, pa.float64(), [nan], [1.5, nan, 2.5]) == (1.5, 2.5)
