"""A table of values at the edges of their types, in files of several schemas, and statements over it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
from pyiceberg.transforms import HourTransform
from pyiceberg.types import DecimalType, DoubleType, LongType, StringType
from pyspark.sql import DataFrame, SparkSession

from pipeline.cells import Cell
from pipeline.spark.session import own_session
from pipeline.spark.tables import table_name
from pipeline.tables.catalog import open_catalog

DATA = Path(__file__).parents[1] / "data"
TABLE = "cases.readings"
HOUR = datetime(2026, 1, 1, 5, tzinfo=UTC)
NAN, INF = float("nan"), float("inf")
WORDS = ("", "a", "Ä", "straße", "ΣΑΣ", "東京", "👩‍🚀", "e\u0301", "é", "İ", "null", " pad ", None)
DOUBLES = (0.0, -0.0, NAN, INF, -INF, 1e-310, 0.1, 0.2, 0.3, 1e300, -1.5, 2.5, None)
INTS = (0, 1, -1, 2**31 - 1, -(2**31), 7, None)
MONEY = (*map(Decimal, ("0.00", "-0.01", "9999999.99", "-9999999.99", "1.10")), None)
MOMENTS = (
    datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(1582, 10, 4, tzinfo=UTC),
    datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    None,
)
ROWS = 400

STATEMENTS: dict[str, str] = dict(
    re.findall(r"-- (.+)\n([^-][^;]*);", (DATA / "values.sql").read_text())
)
"""Name -> statement about `{t}`."""


def write_cases(cell: Cell) -> None:
    """Make the table: rows of a first schema, and then of one with other types, names and fields."""
    catalog = open_catalog(cell)
    catalog.create_namespace_if_not_exists("cases")
    older = _rows(0, pa.int32(), pa.float32(), pa.decimal128(9, 2))
    table = catalog.create_table(TABLE, schema=older.schema)
    with table.update_spec() as spec:
        spec.add_field("at", HourTransform(), "at_hour")
    table.append(older)
    with table.update_schema() as schema:
        schema.rename_column("label", "word")
        schema.update_column("n", LongType())
        schema.update_column("small", DoubleType())
        schema.update_column("amount", DecimalType(12, 2))
        schema.rename_column(("place", "city"), "town")
        schema.add_column(("place", "street"), StringType())
        schema.delete_column("note")
    with table.update_schema() as schema:
        schema.add_column("note", StringType())
    newer = _rows(ROWS, pa.int64(), pa.float64(), pa.decimal128(12, 2))
    place = pa.StructArray.from_arrays(
        [newer["place"].combine_chunks().field(name) for name in ("city", "zip", "zip")],
        ["town", "zip", "street"],
    )
    renamed = newer.rename_columns(["word" if c == "label" else c for c in newer.column_names])
    table.append(
        renamed.set_column(renamed.schema.get_field_index("place"), "place", place.cast(_PLACE))
    )


_PLACE = pa.struct([("town", pa.string()), ("zip", pa.int32()), ("street", pa.string())])


def answers(spark: SparkSession, cell: Cell) -> dict[str, list[str]]:
    """Return what each statement finds, to the last digit: rows as text, sorted."""
    session = own_session(spark, cell)
    session.conf.set("spark.sql.shuffle.partitions", "2")
    return {name: told(frame(session, cell, name)) for name in STATEMENTS}


def frame(session: SparkSession, cell: Cell, name: str) -> DataFrame:
    """Return the rows of one of `STATEMENTS`, which may be asked for one by one."""
    return session.sql(STATEMENTS[name].format(t=table_name(cell, TABLE)))


def told(rows: DataFrame) -> list[str]:
    """Return rows as text in an order of their own: -0.0 and 0.0 differ, and every digit counts."""
    return sorted(map(repr, rows.collect()))


def _rows(first: int, n: pa.DataType, small: pa.DataType, amount: pa.DataType) -> pa.Table:
    numbers = range(first, first + ROWS)
    smalls = [one for one in DOUBLES if one is None or not 1e30 < abs(one) < INF]

    def cycle(values: Sequence[object], step: int = 1) -> list[object]:
        return [values[k * step % len(values)] for k in numbers]

    words, weights = cycle(WORDS), cycle(INTS)
    return pa.table(
        {
            "k": pa.array(numbers, pa.int32()),
            "at": pa.array(
                [HOUR + timedelta(minutes=k % 180) for k in numbers], pa.timestamp("us", "UTC")
            ),
            "label": pa.array(words, pa.string()),
            "n": pa.array(weights, n),
            "ratio": pa.array(cycle(DOUBLES, 5), pa.float64()),
            "small": pa.array(cycle(smalls, 7), small),
            "amount": pa.array(cycle(MONEY), amount),
            "moment": pa.array(cycle(MOMENTS), pa.timestamp("us", "UTC")),
            "place": pa.array(
                [
                    None if k % 11 == 0 else {"city": word, "zip": k % 5}
                    for k, word in zip(numbers, words, strict=True)
                ],
                pa.struct([("city", pa.string()), ("zip", pa.int32())]),
            ),
            "parts": pa.array(
                [
                    None
                    if k % 13 == 0
                    else [{"name": word, "weight": w}, {"name": "x", "weight": None}][: k % 3]
                    for k, word, w in zip(numbers, words, weights, strict=True)
                ],
                pa.list_(pa.struct([("name", pa.string()), ("weight", pa.int64())])),
            ),
            "tags": pa.array(
                [None if k % 7 == 0 else {"a": k % 3, "ü": None} for k in numbers],
                pa.map_(pa.string(), pa.int32()),
            ),
            "note": pa.array(cycle(["old", None]), pa.string()),
        }
    )
