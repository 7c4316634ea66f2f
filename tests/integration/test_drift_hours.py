"""Drift of hours that are audited together: each hour's is that of an audit of it alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from pipeline.batch.context import RangeContext
from pipeline.batch.model import Rejected, Source
from pipeline.batch.wap.audit_frame import StagedRows
from pipeline.cells import Cell
from pipeline.contract.model import DerivedTable, Drift, Expectation, Feature, Product
from pipeline.control.publications import Publication, PublicationLog
from pipeline.tables.catalog import load_table
from quality.audit import AuditResult, audit
from quality.audit_hours import audit_hours
from tests.support.audits import said
from tests.support.hour_builds import build_hours_of
from tests.support.orders import Orders, derived, hour, orders_product

SQL = """
SELECT _uuid AS id, CAST(_event_time AS DATE) AS day, region, amount, amount > 500 AS large,
  CASE amount % 50 WHEN 7 THEN double('NaN') WHEN 8 THEN double('Infinity')
    WHEN 9 THEN -double('Infinity') WHEN 10 THEN NULL ELSE sqrt(amount) END AS share,
  CAST(amount / 7 AS DECIMAL(9, 2)) AS price,
  CASE WHEN amount < 40 THEN amount END AS rare,
  CASE WHEN amount < 900 THEN 1 ELSE amount END AS often
FROM events
"""
NUMBERS = ("amount", "share", "price", "rare", "often")
ROWS = {1: 700, 2: 650, 3: 640, 4: 200, 5: 50, 6: 600, 8: 550}
DRIFTED = 2
Case = tuple[str, dict[str, Any]]
STATED: tuple[Case, ...] = (
    ("expect_column_values_to_be_between", {"column": "amount", "min_value": 0}),
    ("expect_table_row_count_to_be_between", {"min_value": 1}),
    ("expect_column_values_to_not_be_null", {"column": "region"}),
)
OF_WHOLE_HOURS: tuple[Case, ...] = (
    ("expect_column_max_to_be_between", {"column": "amount", "max_value": 99_999}),
    (
        "unexpected_rows_expectation",
        {"unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(*) = 0"},
    ),
)


@dataclass
class Together:
    """Audits hours together; notes which were looked at alone, and what an audit of each alone says."""

    table: DerivedTable
    looked_at: list[datetime] = field(default_factory=list)
    found: dict[datetime, AuditResult] = field(default_factory=dict)
    alone: dict[datetime, AuditResult] = field(default_factory=dict)

    def __call__(self, rows: StagedRows) -> Mapping[datetime, AuditResult]:
        self.found |= audit_hours(Noted(rows.context, rows.staged, self.looked_at), self.table)
        for of in rows.hours:
            passed = [one for one in rows.hours if one < of and self.alone[one].passed]
            self.alone[of] = audit(rows.alone(of, passed), self.table)
        return self.found


@dataclass(frozen=True)
class Noted(StagedRows):
    looked_at: list[datetime]

    def alone(self, hour: datetime, passed: Collection[datetime]) -> DataFrame:
        self.looked_at.append(hour)
        return super().alone(hour, passed)


@dataclass
class Orderly:
    """A feature table of single orders, whose numbers drift in one hour."""

    spark: SparkSession
    cell: Cell
    product: Product

    def __post_init__(self) -> None:
        self.orders = Orders(self.cell)
        for number, rows in {0: 600, **ROWS}.items():
            self.append(number, rows, 5_000 if number == DRIFTED else 0)

    def append(self, number: int, rows: int, more: int = 0) -> None:
        amounts = ((at * 37 + number * 13) % 1_000 + more for at in range(rows))
        regions = ("north", "south", "south", "east")
        self.orders.append((hour(number), regions[amount % 4], amount) for amount in amounts)

    def build(self, numbers: Iterable[int]) -> tuple[Together, list[int]]:
        """Build hours as one range; return how they were audited, and which of them are published."""
        (table,) = self.product.derived_tables
        events = load_table(self.cell, "orders.events").metadata.current_snapshot_id or 0
        sources = {hour(number): Source(events, 0) for number in numbers}
        log = PublicationLog.read(self.cell, "orders")
        context = RangeContext(self.spark, self.cell, self.product, table, sources, "run", log)
        audits = Together(table)
        outcomes = build_hours_of(context, audits)
        assert all(isinstance(one, Publication | Rejected) for one in outcomes.values())
        published = [of.hour for of, one in outcomes.items() if isinstance(one, Publication)]
        return audits, sorted(published)


def orderly(
    spark: SparkSession,
    cell: Cell,
    folder: Path,
    columns: Iterable[str],
    *more: Case,
) -> Orderly:
    drift = tuple(Drift(column=column, most=0.3) for column in columns)
    feature = Feature(entity=("id",), ttl_s=86_400, partitions=("day",), drift=drift)
    stated = tuple(Expectation(type=type_, kwargs=kwargs) for type_, kwargs in (*STATED, *more))
    table = derived("big", SQL, expectations=stated, feature=feature)
    return Orderly(spark, cell, orders_product(folder, table))


def test_drift_of_numbers_is_told_of_all_hours_together(
    spark: SparkSession, quiet_cell: Cell, tmp_path: Path
) -> None:
    shop = orderly(spark, quiet_cell, tmp_path, NUMBERS)
    shop.build([0])
    # Of an hour that is built again, its last build counts.
    shop.append(0, 300, 400)
    shop.build([0])
    audits, published = shop.build(ROWS)
    assert published == [number for number in ROWS if number != DRIFTED]
    assert compared_with(audits) == {1: {0}, 2: {1}, 3: {1}, 4: {3}, 5: set(), 6: set(), 8: {6}}
    # What drifted is looked at for examples, and the next one, which was to be compared with it.
    assert audits.looked_at == [hour(DRIFTED), hour(DRIFTED + 1)]


def test_drift_of_other_columns_is_told_of_each_hour_and_nothing_else_is(
    spark: SparkSession, quiet_cell: Cell, tmp_path: Path
) -> None:
    shop = orderly(
        spark, quiet_cell, tmp_path, ("region", "amount", "large", "price"), *OF_WHOLE_HOURS
    )
    audits, published = shop.build([1, 2, 3])
    assert published == [1, 3]
    assert compared_with(audits) == {1: set(), 2: {1}, 3: {1}}
    assert audits.looked_at == [hour(1), hour(DRIFTED), hour(DRIFTED + 1)]


def compared_with(audits: Together) -> dict[int, set[int]]:
    """Return which hours each was compared with; every result is that of an audit of the hour alone."""
    assert {of: said(one) for of, one in audits.found.items()} == {
        of: said(one) for of, one in audits.alone.items()
    }
    return {
        of.hour: {each.hour.hour for each in one.distributions if each.hour}
        for of, one in audits.found.items()
    }
