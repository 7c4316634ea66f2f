"""Nulls, and values of every type, where features are partitioned, joined and told apart."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from pyspark.sql import SparkSession

from pipeline.batch.wap.digest import digests
from pipeline.cells import Cell
from pipeline.contract.model import Column, Feature
from pipeline.features.historical_features import get_historical_features
from pipeline.features.serving import read_served
from pipeline.features.times import KnownAt
from pipeline.tables.catalog import load_table
from tests.support.derivations import Chain, built
from tests.support.orders import derived, hour, orders_product

KINDS: dict[str, tuple[str, list[Any]]] = {
    "text": ("STRING", ["a/b='it\"%2F", "", "null"]),
    "day": ("DATE", [date(1969, 12, 31), date(2026, 1, 1)]),
    "price": ("DECIMAL(9, 2)", [Decimal("-1.50"), Decimal("0.00")]),
    "flag": ("BOOLEAN", [True, False]),
    "number": ("INT", [-7]),
    "large": ("BIGINT", [-(2**63), 2**53 + 1]),
    "at": ("TIMESTAMP", [datetime(1969, 12, 31, 23, tzinfo=UTC), hour(3)]),
    "local": ("TIMESTAMP_NTZ", [datetime(2026, 3, 29, 2, 30)]),  # noqa: DTZ001
    "raw": ("BINARY", [b"\x00\xff", b""]),
}
"""Column -> its Spark type, and values that partitions may have, beside null."""


def literal(kind: str, value: Any) -> str:
    if value is None:
        return f"CAST(NULL AS {kind})"
    if isinstance(value, bytes):
        return f"X'{value.hex()}'"
    if isinstance(value, datetime):
        zone = "+00:00" if value.tzinfo else ""
        return f"{kind} '{value.replace(tzinfo=None).isoformat(sep=' ')}{zone}'"
    if isinstance(value, str):
        quoted = value.replace("\\", "\\\\").replace("'", "\\'")
        return f"'{quoted}'"
    return f"CAST('{value}' AS {kind})"


def statement(rows: list[dict[str, Any]]) -> str:
    """Return SQL that gives `rows`, each with how many orders the hour has."""
    tuples = ", ".join(
        f"({row['who'] if row['who'] is not None else 'CAST(NULL AS INT)'}, "
        + ", ".join(literal(KINDS[name][0], row[name]) for name in KINDS)
        + ")"
        for row in rows
    )
    names = ", ".join(("who", *KINDS))
    return (
        f"SELECT v.*, e.orders FROM VALUES {tuples} AS v({names}) "
        "CROSS JOIN (SELECT count(*) AS orders FROM events) e"
    )


def drawn() -> list[dict[str, Any]]:
    """Return a row for each value of each column, the others null; one all null; entities null too."""
    empty = dict.fromkeys(KINDS)
    rows = [
        {**empty, name: value, "who": 1} for name, (_, values) in KINDS.items() for value in values
    ]
    return [*rows, {**empty, "who": 1}, {**empty, "who": None}]


def by_all(row: dict[str, Any]) -> str:
    return repr(sorted(row.items()))


@pytest.fixture
def chain(spark: SparkSession, quiet_cell: Cell, tmp_path: Path) -> Chain:
    columns = tuple(Column(name=name) for name in ("who", *KINDS, "orders"))
    feature = Feature(entity=("who",), ttl_s=864_000, partitions=tuple(KINDS))
    table = derived("tastes", statement(drawn()), feature=feature, columns=columns)
    return Chain(spark, quiet_cell, orders_product(tmp_path, table))


def test_a_feature_table_has_every_partition_of_its_history(chain: Chain) -> None:
    chain.orders.append([(hour(1), "north", 1), (hour(2), "north", 1), (hour(2), "south", 1)])
    assert built(chain.build([1, 2])) == [("tastes", 1), ("tastes", 2)]
    wanted = sorted(
        ({**row, "orders": 2, "hour": hour(2)} for row in drawn()),
        key=by_all,
    )
    served, _ = read_served(chain.cell, chain.product, "tastes")
    assert sorted(served.to_dicts(), key=by_all) == wanted

    table = load_table(chain.cell, "orders.tastes")
    with duckdb.connect() as sql:
        sql.execute("SET TimeZone = 'UTC'")
        files = [file.file.file_path.removeprefix("file://") for file in table.scan().plan_files()]
        found = (
            sql.read_parquet(files).pl().with_columns(pl.col("hour", "at").dt.cast_time_unit("us"))
        )
    assert sorted(found.select(served.columns).to_dicts(), key=by_all) == wanted

    history = load_table(chain.cell, "orders.tastes_history").scan().to_arrow()
    assert history.num_rows == 2 * len(drawn())


def test_an_entity_that_is_null_is_an_entity(chain: Chain) -> None:
    product = chain.product.model_copy(
        update={
            "derived_tables": (
                derived(
                    "tastes",
                    "SELECT CASE WHEN region <> 'none' THEN region END AS who, 'all' AS part, "
                    "count(*) AS orders FROM events GROUP BY region",
                    feature=Feature(entity=("who",), ttl_s=864_000, partitions=("part",)),
                    columns=tuple(Column(name=name) for name in ("who", "part", "orders")),
                ),
            )
        }
    )
    chain.product = product
    chain.orders.append([(hour(1), "none", 1), (hour(1), "north", 1), (hour(1), "none", 1)])
    chain.build([1])
    spine = pl.DataFrame({"who": [None, "north", "other"], "at": [hour(3)] * 3})
    found = get_historical_features(
        chain.cell,
        product,
        "tastes",
        spine,
        timestamp="at",
        known_at=KnownAt(instant=datetime.now(UTC) + timedelta(days=1)),
    )
    assert found.get_column("orders").to_list() == [2, 1, None]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CAST(NULL AS INT) AS a, 1 AS b", "1 AS a, CAST(NULL AS INT) AS b"),
        ("array(1, NULL) AS a", "array(NULL, 1) AS a"),
        ("array(1) AS a, array(2, 3) AS b", "array(1, 2) AS a, array(3) AS b"),
        ("array() AS a", "CAST(NULL AS ARRAY<VOID>) AS a"),
        (
            "named_struct('x', CAST(NULL AS INT), 'y', 1) AS a",
            "named_struct('x', 1, 'y', CAST(NULL AS INT)) AS a",
        ),
        (
            "array(named_struct('x', CAST(NULL AS INT), 'y', 1)) AS a",
            "array(named_struct('x', 1, 'y', CAST(NULL AS INT))) AS a",
        ),
        ("map('k', CAST(NULL AS INT)) AS a", "CAST(map() AS MAP<STRING, INT>) AS a"),
        ("array(array(1), array(2)) AS a", "array(array(1, 2)) AS a"),
        ("'' AS a", "CAST(NULL AS STRING) AS a"),
    ],
)
def test_rows_that_differ_by_a_null_have_other_digests(
    spark: SparkSession, one: str, other: str
) -> None:
    (of_one, of_other) = (
        digests(spark.sql(f"SELECT {rows}, TIMESTAMP '2026-01-01' AS hour"), None)
        for rows in (one, other)
    )
    assert of_one.keys() == of_other.keys()
    assert of_one != of_other
