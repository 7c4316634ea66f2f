"""Derived tables follow what their logic gives, over versions of a contract; older hours stay right."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pyspark.sql import SparkSession

from pipeline.batch.errors import LogicError
from pipeline.batch.feature_table.rederive import apply_derived
from pipeline.batch.model import Source
from pipeline.batch.wap.publish import publish
from pipeline.batch.wap.stage import stage
from pipeline.cells import Cell
from pipeline.contract.model import Column, DerivedTable, Feature, Product
from pipeline.control.publications import Publication
from pipeline.evolution.derived_tables import plan_derived_tables
from pipeline.evolution.model import Action, Verdict
from pipeline.features.serving import read_served
from pipeline.spark.session import own_session
from pipeline.tables.catalog import load_table
from quality.auditor import RunAuditor
from tests.support.hour_builds import CrashError, build_hours_of, crash_at, hour_context
from tests.support.orders import Orders, derived, hour, orders_product

V1 = """
SELECT region, CAST(count(*) AS INT) AS orders, CAST(0.1 AS FLOAT) AS share,
  CAST(1.5 AS DECIMAL(9, 2)) AS price, named_struct('a', CAST(1 AS INT)) AS s,
  array(named_struct('x', CAST(1 AS INT))) AS items,
  map('k', named_struct('n', CAST(1 AS INT))) AS m, array(CAST(7 AS INT)) AS nums,
  CAST(max(_event_time) AS DATE) AS day, 'old' AS note
FROM events GROUP BY region
"""
V2 = """
SELECT region, count(*) + 1099511627776 AS orders, CAST(0.1 AS DOUBLE) AS share,
  CAST(1234567890.25 AS DECIMAL(12, 2)) AS price,
  named_struct('b', 'new', 'a', 1099511627776) AS s,
  array(named_struct('y', true, 'x', 1099511627776), NULL) AS items,
  map('k', named_struct('n', 1099511627776, 'o', CAST(0.5 AS DOUBLE)), 'none', NULL) AS m,
  array(1099511627776, NULL) AS nums, CAST(max(_event_time) AS DATE) AS day,
  named_struct('p', array('q')) AS extra
FROM events GROUP BY region
"""
V3 = V1.replace("'old' AS note", "'again' AS note, NULL AS extra")
"""The logic rolled back: narrower types than the table's, and a column that is always null."""

BIG = 2**40
OLD: dict[str, Any] = {
    "orders": 1,
    "share": pytest.approx(0.1, rel=1e-7),
    "price": Decimal("1.50"),
    "s": {"a": 1, "b": None},
    "items": [{"x": 1, "y": None}],
    "m": {"k": {"n": 1, "o": None}},
    "nums": [7],
    "day": date(2026, 1, 1),
    "note": "old",
    "extra": None,
}
NEW: dict[str, Any] = {
    "orders": BIG + 1,
    "share": 0.1,
    "price": Decimal("1234567890.25"),
    "s": {"a": BIG, "b": "new"},
    "items": [{"x": BIG, "y": True}, None],
    "m": {"k": {"n": BIG, "o": 0.5}, "none": None},
    "nums": [BIG, None],
    "day": date(2026, 1, 1),
    "note": None,
    "extra": {"p": ["q"]},
}
WANTED = {
    1: {"region": "north", **OLD},
    2: {"region": "south", **NEW},
    3: {"region": "west", **OLD, "note": "again"},
}
"""Number of the hour -> its row, each of a version of its own."""

NAMES = ("region", "orders", "share", "price", "s", "items", "m", "nums", "day")
FLAT = ("region", "orders", "share", "price", "day", "note")
COLUMNS = {V1: (*NAMES, "note"), V2: (*NAMES, "extra"), V3: (*NAMES, "note", "extra")}


def tables(sql: str, version: str, partitions: tuple[str, ...] = ("region",)) -> list[DerivedTable]:
    feature = Feature(entity=("region",), ttl_s=864_000, partitions=partitions)
    columns = tuple(Column(name=name, description=f"The {name}.") for name in COLUMNS.get(sql, ()))
    settings: dict[str, Any] = {"columns": columns}
    made = [derived("sales", sql, **settings), derived("tastes", sql, feature=feature, **settings)]
    return [one.model_copy(update={"version": version}) for one in made]


class Engine:
    def __init__(self, spark: SparkSession, cell: Cell, folder: Path) -> None:
        self.spark, self.cell, self.folder = spark, cell, folder
        self.orders = Orders(cell)

    def product(self, *derived_tables: DerivedTable) -> Product:
        return orders_product(self.folder, *derived_tables)

    def build(self, product: Product, number: int, region: str = "") -> None:
        """Add one order to the hour, if a region is given, and publish the hour of every table."""
        if region:
            self.orders.append([(hour(number), region, 1)])
        for derived_table in product.derived_tables:
            source = self.source()
            auditor = RunAuditor(self.cell, "orders", "run")
            try:
                context = hour_context(
                    self.spark, self.cell, product, derived_table, hour(number), source
                )
                outcome = build_hours_of(context, auditor(derived_table))[hour(number)]
            finally:
                auditor.finish()
            assert isinstance(outcome, Publication), outcome
            assert outcome.contract_version == derived_table.version

    def source(self) -> Source:
        events = load_table(self.cell, "orders.events")
        assert events.metadata.current_snapshot_id is not None
        return Source(events.metadata.current_snapshot_id, 1)

    def rows(self, table: str) -> dict[int, dict[str, Any]]:
        """Return the table's rows by their hours: PyIceberg's, which are DuckDB's and Spark's too."""
        scan = load_table(self.cell, f"orders.{table}").scan()
        found = by_hour(plain(row) for row in scan.to_arrow().to_pylist())
        # DuckDB has the files alone: of what is not nested it makes one type by itself.
        names = [name for name in FLAT if name in next(iter(found.values()))]
        files = [task.file.file_path.removeprefix("file://") for task in scan.plan_files()]
        with duckdb.connect() as sql:
            read = sql.read_parquet(files, union_by_name=True)
            listed = read.select(", ".join(names)).to_arrow_table().to_pylist()
        assert sorted(map(repr, listed)) == sorted(
            repr({name: row[name] for name in names}) for row in found.values()
        )
        session = own_session(self.spark, self.cell)
        listed = session.table(f"us.orders.{table}").toArrow().to_pylist()
        assert by_hour(map(plain, listed)) == found
        return found


def plain(row: dict[str, Any]) -> dict[str, Any]:
    entries = row["m"]
    return {**row, "m": entries if entries is None else dict(entries)}


def by_hour(rows: Any) -> dict[int, dict[str, Any]]:
    found = {}
    for row in rows:
        at = row.pop("hour")
        assert isinstance(at, datetime)
        row.pop("build", None)
        assert at.hour not in found
        found[at.hour] = row
    return found


@pytest.fixture
def engine(spark: SparkSession, quiet_cell: Cell, tmp_path: Path) -> Engine:
    return Engine(spark, quiet_cell, tmp_path)


def test_hours_and_features_follow_three_versions_of_their_logic(engine: Engine) -> None:
    engine.build(engine.product(*tables(V1, "1.0.0")), 1, "north")
    second = engine.product(*tables(V2, "2.0.0"))
    steps = plan_derived_tables(engine.cell, second)
    assert {(s.table, s.action, s.column, s.verdict) for s in steps} == {
        (f"orders.{table}", action, column, Verdict.SAFE)
        for table in ("sales", "tastes", "tastes_history")
        for action, column in ((Action.ADD_COLUMN, "extra"), (Action.KEEP_COLUMN, "note"))
    }
    engine.build(second, 2, "south")
    # The feature's partitions change too: its rows are derived anew by the build itself.
    third = engine.product(*tables(V3, "3.0.0", partitions=("day", "note")))
    steps = plan_derived_tables(engine.cell, third)
    assert [(s.table, s.action, s.detail, s.verdict) for s in steps] == [
        ("orders.tastes", Action.CHANGE_PARTITIONS, "region -> day, note", Verdict.REWRITE)
    ]
    engine.build(third, 3, "west")

    for table in ("sales", "tastes_history", "tastes"):
        assert engine.rows(table) == WANTED, table
    served, _ = read_served(engine.cell, third, "tastes")
    assert {row["region"]: row["orders"] for row in served.to_dicts()} == {
        "north": 1,
        "south": BIG + 1,
        "west": 1,
    }
    tastes = load_table(engine.cell, "orders.tastes")
    assert {file.file.spec_id for file in tastes.scan().plan_files()} == {tastes.spec().spec_id}
    assert plan_derived_tables(engine.cell, third) == ()
    assert tastes.schema().find_field("extra").doc == "The extra."

    # An hour of before, built again, has what the logic gives now, and hides no other.
    engine.build(engine.product(third.derived_tables[0]), 2)
    assert engine.rows("sales") == {**WANTED, 2: {**WANTED[3], "region": "south"}}


def test_new_partitions_are_made_by_apply_and_go_on_where_they_were_cut_off(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = engine.product(*tables(V1, "1.0.0")[1:])
    engine.build(product, 1, "north")
    engine.build(product, 2, "south")
    engine.orders.append([(hour(3), "south", 1)])
    engine.build(product, 3)
    before = engine.rows("tastes")
    assert sorted(before) == [1, 3]

    changed = engine.product(*tables(V1, "1.1.0", partitions=("day",))[1:])
    served = load_table(engine.cell, "orders.tastes").metadata.refs["served"]

    with monkeypatch.context() as patched:
        crash_at(patched, "hour.after_stage_current")
        with pytest.raises(CrashError):
            list(apply_derived(engine.spark, engine.cell, changed))
    assert load_table(engine.cell, "orders.tastes").metadata.refs["served"] == served
    assert [step.action for step in plan_derived_tables(engine.cell, changed)] == [
        Action.CHANGE_PARTITIONS
    ]
    (done,) = apply_derived(engine.spark, engine.cell, changed)
    assert done.action is Action.CHANGE_PARTITIONS
    assert engine.rows("tastes") == before
    assert plan_derived_tables(engine.cell, changed) == ()
    table = load_table(engine.cell, "orders.tastes")
    assert [field.name for field in table.spec().fields] == ["day"]
    assert table.metadata.refs["served"].snapshot_id == table.metadata.current_snapshot_id


def test_a_row_that_moves_to_another_partition_leaves_the_one_that_it_was_in(
    engine: Engine,
) -> None:
    first = engine.product(*tables(V1, "1.0.0", partitions=("note",))[1:])
    engine.build(first, 1, "north")
    engine.build(first, 2, "south")
    moved = V1.replace("'old' AS note", "CAST(NULL AS STRING) AS note")
    again = engine.product(*tables(moved, "1.1.0", partitions=("note",))[1:])

    def notes() -> dict[str, str]:
        return {row["region"]: row["note"] for row in engine.rows("tastes").values()}

    engine.build(again, 2)
    assert notes() == {"north": "old", "south": None}
    # The last row of the partition `old` moves, and nothing is left there.
    engine.build(again, 1)
    assert notes() == {"north": None, "south": None}


def test_a_staging_of_before_an_evolution_is_published_after_it(engine: Engine) -> None:
    first = engine.product(tables(V1, "1.0.0")[0])
    engine.build(first, 1, "north")
    engine.orders.append([(hour(2), "south", 1)])
    staged = stage(
        hour_context(
            engine.spark, engine.cell, first, first.derived_tables[0], hour(2), engine.source()
        )
    )
    engine.build(engine.product(tables(V2, "2.0.0")[0]), 3, "west")
    publish(engine.spark, engine.cell, staged)
    assert engine.rows("sales") == {
        1: WANTED[1],
        2: {**WANTED[1], "region": "south"},
        3: {**WANTED[2], "region": "west"},
    }


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT region, 'one' AS amount FROM events", "amount: long -> string: refused"),
        ("SELECT region, CAST(1 AS DECIMAL(9, 3)) AS amount FROM events", "long -> decimal"),
        ("SELECT region, array(1) AS amount FROM events", "refused"),
        ("SELECT region, 1 AS Amount FROM events", "the table has 'amount'"),
        ("SELECT region, NULL AS fresh FROM events", "column fresh is void"),
        ("SELECT region, array() AS fresh FROM events", "column fresh.element is void"),
        ("SELECT region, INTERVAL '1' DAY AS fresh FROM events", "column fresh is interval day"),
    ],
)
def test_what_no_table_can_follow_is_refused_by_name_before_anything_is_staged(
    engine: Engine, sql: str, said: str
) -> None:
    product = engine.product(derived("sales", "SELECT region, amount FROM events"))
    engine.build(product, 1, "north")
    before = load_table(engine.cell, "orders.sales").metadata
    with pytest.raises(LogicError) as refusal:
        engine.build(engine.product(derived("sales", sql)), 1)
    assert said in str(refusal.value)
    assert "orders.sales" in str(refusal.value)
    after = load_table(engine.cell, "orders.sales").metadata
    assert (after.current_schema_id, after.snapshots) == (
        before.current_schema_id,
        before.snapshots,
    )
