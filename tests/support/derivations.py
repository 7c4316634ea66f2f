"""A product of orders with tables derived from each other, and building what is due of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal

from pyspark.sql import DataFrame, SparkSession

from pipeline.batch.execute import BuildResult, execute
from pipeline.batch.planning.plan import HoursPlan, plan_hours
from pipeline.batch.planning.staleness import PlanInputs
from pipeline.batch.wap.audit_frame import AuditFunction
from pipeline.cells import Cell
from pipeline.contract.model import DerivedTable, Feature, Logic, Product, Read
from pipeline.control.publications import read_publications
from pipeline.hours.fence import Fence
from pipeline.hours.rows import rows_by_hour
from pipeline.hours.states import HourState, HourStates
from pipeline.tables.catalog import TableMissingError, load_table
from tests.support.hour_builds import Judge, Opinion, each_alone
from tests.support.orders import Orders, derived, hour, orders_product, sales

STREAKS = """
from pyspark.sql import functions as sf

SCHEMA = "region STRING, orders BIGINT, streak BIGINT"


def build(inputs):
    '''Count each region's orders, and its adjoining hours of two orders or more.'''
    now = inputs.tables["events"].groupBy("region").agg(sf.count("*").alias("orders"))
    before = inputs.tables["streaks"].select("region", sf.col("streak").alias("before"))
    streak = sf.coalesce("before", sf.lit(0)) + 1
    return now.join(before, "region", "left").select("region", "orders", streak.alias("streak"))
"""
STREAKS_OF_RANGE = """
from pyspark.sql import Window
from pyspark.sql import functions as sf

SCHEMA = "region STRING, orders BIGINT, streak BIGINT"


def build(inputs):
    '''The same, of all hours of a range; an amount of -1 fails.'''
    hour = sf.date_trunc("hour", "_event_time").alias("hour")
    spoilt = sf.max(sf.when(sf.col("amount") == -1, sf.raise_error(sf.lit("spoilt"))))
    now = inputs.tables["events"].groupBy("region", hour).agg(
        sf.count("*").alias("orders"), spoilt.alias("spoilt")
    ).where("spoilt IS NULL")
    before = inputs.tables["streaks"].select("region", sf.col("streak").alias("before"))
    in_time = Window.partitionBy("region").orderBy("hour")
    last = sf.lag(sf.when(sf.col("orders") >= 2, sf.col("hour"))).over(in_time)
    goes_on = sf.coalesce(last + sf.expr("INTERVAL 1 HOUR") == sf.col("hour"), sf.lit(False))
    started = sf.max(sf.when(~goes_on, sf.col("hour"))).over(in_time)
    here = (sf.unix_micros("hour") - sf.unix_micros("started")) / 3_600_000_000 + 1
    from_before = sf.when(sf.col("started") == sf.lit(inputs.start), sf.col("before"))
    streak = here.cast("bigint") + sf.coalesce(from_before, sf.lit(0))
    placed = now.withColumn("started", started).join(before, "region", "left")
    return placed.select("hour", "region", "orders", streak.alias("streak"))
"""
TASTES = """
SELECT region, CAST(max(hour) AS DATE) AS day, sum(orders) AS orders, max(streak) AS streak
FROM streaks GROUP BY region
"""
FEATURE = Feature(entity=("region",), ttl_s=86_400, partitions=("day",))


def accept(_frame: DataFrame) -> Opinion:
    """Let every hour pass."""
    return Opinion()


def chained_product(
    folder: Path, by: Literal["hour", "timeRange"] = "hour", **late: float
) -> Product:
    """Return orders with `sales`, `streaks` (reads its hour before) and the feature `tastes`.

    Streaks are computed `by` the hour, or by ranges.
    """
    late = late or {"share": 0.0001, "wait_s": 0.0}
    text = STREAKS if by == "hour" else STREAKS_OF_RANGE
    file = folder / "streaks" / "build.py"
    streaks = derived("streaks", "").model_copy(
        update={
            "logic": Logic(language="python", text=text, file=file, incremental_by=by),
            "reads": (Read(table="events"), Read(table="streaks", back=1)),
            "handover": "orders >= 2",
        }
    )
    tastes = derived("tastes", TASTES, reads=(Read(table="streaks", hours=3),), feature=FEATURE)
    tables = [sales(), streaks, tastes]
    policy = tables[0].late.model_copy(update=late)
    return orders_product(folder, *(one.model_copy(update={"late": policy}) for one in tables))


@dataclass
class Chain:
    """The product in one cell, and its events."""

    spark: SparkSession
    cell: Cell
    product: Product
    now: datetime = field(default_factory=lambda: hour(40))

    def __post_init__(self) -> None:
        self.orders = Orders(self.cell)

    def plan(self, closed: Iterable[int], **options: Any) -> HoursPlan:
        """Plan as if the hours `closed` were, and no other."""
        events = load_table(self.cell, "orders.events")
        fence = Fence(hour(0), hour(0), {0: 0})
        rows = rows_by_hour(events)
        states = tuple(
            HourState(hour(n), rows.get(hour(n), 0), fence, closed=True) for n in sorted(closed)
        )
        snapshot_id = events.metadata.current_snapshot_id
        looked = HourStates("orders", "us", snapshot_id, self.now, states)
        publications = read_publications(self.cell, "orders")
        return plan_hours(self.product, PlanInputs.of(looked, publications), **options)

    def build(
        self,
        closed: Iterable[int],
        judge: Callable[[DerivedTable, datetime], Judge] = lambda _table, _hour: accept,
        **options: Any,
    ) -> list[BuildResult]:
        """Build what is due of the hours `closed`."""
        plan = self.plan(closed, **options)
        return self.execute(plan, judge)

    def execute(
        self,
        plan: HoursPlan,
        judge: Callable[[DerivedTable, datetime], Judge] = lambda _table, _hour: accept,
        run_id: str = "run",
    ) -> list[BuildResult]:
        """Carry a plan out, each hour judged by its own rows."""

        def auditor(table: DerivedTable) -> AuditFunction:
            return each_alone(partial(judge, table))

        return list(execute(self.spark, self.cell, self.product, plan, auditor, run_id=run_id))

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return all rows that main has, in an order of their own, without the builds' marks."""
        try:
            found = load_table(self.cell, f"orders.{table}").scan().to_arrow().to_pylist()
        except TableMissingError:
            return []
        for row in found:
            row.pop("build", None)
        return sorted(found, key=repr)

    def last_builds(self) -> list[dict[str, Any]]:
        """Return the rows of the feature's history that count: those of each hour's last build."""
        recorded = read_publications(self.cell, "orders")
        last = {one.hour: one.wap_id for one in recorded if one.table == "orders.tastes_history"}
        rows = load_table(self.cell, "orders.tastes_history").scan().to_arrow().to_pylist()
        kept = [row for row in rows if last[row["hour"]] == row["build"]]
        for row in kept:
            del row["build"]
        return sorted(kept, key=repr)


def built(done: Iterable[BuildResult]) -> list[tuple[str, int]]:
    """Return table and hour of each, in order."""
    return [(one.build.derived_table, one.build.hour.hour) for one in done]
