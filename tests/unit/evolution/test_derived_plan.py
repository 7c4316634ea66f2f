"""What is planned for derived tables before their logic runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyiceberg import types as iceberg
from pyspark.sql import types as spark

from pipeline.contract.model import Column, Feature
from pipeline.evolution.derived_tables import DerivedTableState, plan_derived_table
from pipeline.evolution.model import Action, Step, Verdict
from pipeline.spark.column_types import NoIcebergTypeError, ddl, iceberg_struct
from tests.support.orders import derived, orders_product

COLUMNS = tuple(Column(name=name) for name in ("region", "day", "orders"))
PRODUCT = orders_product(Path("orders"))
HOURLY = derived("sales", "SELECT 1", columns=COLUMNS)
FEATURE = derived(
    "tastes",
    "SELECT 1",
    columns=COLUMNS,
    feature=Feature(entity=("region",), ttl_s=60, partitions=("day", "region")),
)
ALL = ("region", "day", "orders", "hour")


def told(steps: tuple[Step, ...]) -> list[tuple[str, Action, str, Verdict]]:
    return [(step.table, step.action, step.column, step.verdict) for step in steps]


def test_a_table_that_is_as_its_contract_says_needs_nothing() -> None:
    assert plan_derived_table(PRODUCT, HOURLY, DerivedTableState(ALL)) == ()
    held = DerivedTableState((*ALL, "build"), ALL, ("region", "day"))
    assert plan_derived_table(PRODUCT, FEATURE, held) == ()


def test_a_table_that_is_missing_comes_with_its_first_hour() -> None:
    assert told(plan_derived_table(PRODUCT, HOURLY, DerivedTableState(None))) == [
        ("orders.sales", Action.CREATE_TABLE, "", Verdict.SAFE)
    ]
    assert told(plan_derived_table(PRODUCT, FEATURE, DerivedTableState(None))) == [
        ("orders.tastes_history", Action.CREATE_TABLE, "", Verdict.SAFE),
        ("orders.tastes", Action.CREATE_TABLE, "", Verdict.SAFE),
    ]


def test_columns_are_added_and_kept() -> None:
    held = DerivedTableState(("region", "day", "note", "hour"))
    assert told(plan_derived_table(PRODUCT, HOURLY, held)) == [
        ("orders.sales", Action.ADD_COLUMN, "orders", Verdict.SAFE),
        ("orders.sales", Action.KEEP_COLUMN, "note", Verdict.SAFE),
    ]
    unlisted = derived("sales", "SELECT 1")
    assert plan_derived_table(PRODUCT, unlisted, held) == ()


@pytest.mark.parametrize("pending", [False, True])
def test_other_partitions_need_a_rewrite(*, pending: bool) -> None:
    partitions = ("region", "day") if pending else ("region",)
    held = DerivedTableState((*ALL, "build"), ALL, partitions, pending)
    (step,) = plan_derived_table(PRODUCT, FEATURE, held)
    assert (step.table, step.action, step.verdict) == (
        "orders.tastes",
        Action.CHANGE_PARTITIONS,
        Verdict.REWRITE,
    )
    assert "by `headwater contract apply` or the next build" in step.reason


def test_partitions_by_a_column_that_no_hour_has_yet_are_left_to_the_next_build() -> None:
    without = ("region", "orders", "hour")
    steps = plan_derived_table(
        PRODUCT, FEATURE, DerivedTableState((*without, "build"), without, ("region",))
    )
    assert [step.action for step in steps] == [
        Action.ADD_COLUMN,
        Action.ADD_COLUMN,
        Action.CHANGE_PARTITIONS,
    ]
    assert "the next build derives the table anew" in steps[-1].reason


def test_what_is_always_null_has_the_type_that_its_table_has() -> None:
    given = spark.StructType(
        [
            spark.StructField("a", spark.NullType()),
            spark.StructField("b", spark.ArrayType(spark.NullType())),
            spark.StructField("c", spark.ByteType()),
        ]
    )
    held = iceberg.StructType(
        iceberg.NestedField(1, "a", iceberg.LongType(), required=False),
        iceberg.NestedField(2, "b", iceberg.ListType(3, iceberg.DateType()), required=False),
    )
    a, b, c = iceberg_struct(given, held, ("c",)).fields
    assert a.field_type == iceberg.LongType()
    assert isinstance(b.field_type, iceberg.ListType)
    assert b.field_type.element_type == iceberg.DateType()
    assert (c.field_type, c.required) == (iceberg.IntegerType(), True)
    with pytest.raises(NoIcebergTypeError, match=r"b\.element: void"):
        iceberg_struct(given, iceberg.StructType(held.fields[0]))


def test_names_inside_records_are_quoted_in_ddl() -> None:
    given = spark.StructType([spark.StructField("a`b c", spark.ArrayType(spark.LongType()))])
    assert ddl(spark.MapType(spark.StringType(), given)) == (
        "MAP<string, STRUCT<`a``b c`: ARRAY<bigint>>>"
    )
