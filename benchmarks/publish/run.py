"""Building many hours one after the other, with a clock around what follows the audit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path

from pyspark.sql import SparkSession

from benchmarks.hourly.prepare import THE_HOUR, Passed, cell_in, fill, plan_of, viewing_product
from benchmarks.hourly.steps import STEPS, Steps
from pipeline.batch.execute import execute
from pipeline.batch.wap.audit_frame import StagedRows
from pipeline.cells import Cell
from pipeline.clock import HOUR
from pipeline.contract.model import Product
from pipeline.control.publications import Publication
from pipeline.settings import load_settings
from pipeline.spark.jars import spark_jars
from pipeline.spark.session import start_session

PUBLISH = STEPS["publish"]
AFTER_AUDIT = tuple(
    STEPS[name] for name in ("publish", "derive_feature_table", "digests", "release", "record")
)
"""Steps between the verdict and the row in the publications table."""


@dataclass(frozen=True)
class Order:
    """How many hours, of how many events each."""

    hours: int = 60
    events: int = 5_000


@dataclass(frozen=True)
class Published:
    """One hour of one table: seconds of the publishing alone, and of all that follows the audit."""

    table: str
    hour: datetime
    publish_s: float
    settle_s: float


def measure(root: Path, order: Order, say: Callable[[str], None]) -> list[Published]:
    """Build all tables of `order`'s hours in a new cell under `root`, in a Spark of its own.

    Raises:
        RuntimeError: an hour was not published.
    """
    cell, product = cell_in(root), viewing_product()
    say(f"writing {order.hours} hours of {order.events:,} events")
    fill(cell, product, order.events, order.hours)
    spark = start_session(cell, spark_jars(load_settings().cache, cell))
    try:
        return publish_hours(spark, cell, product, order.hours, say)
    finally:
        spark.stop()


def publish_hours(
    spark: SparkSession, cell: Cell, product: Product, hours: int, say: Callable[[str], None]
) -> list[Published]:
    """Build the last `hours` hours of all tables; what they hold passes unseen.

    Raises:
        RuntimeError: an hour was not published.
    """
    wanted = [THE_HOUR - n * HOUR for n in reversed(range(hours))]
    found: list[Published] = []

    def accept(rows: StagedRows) -> Mapping[datetime, Passed]:
        return dict.fromkeys(rows.hours, Passed())

    with Steps(spark) as steps:
        # Each alone: hours of one plan are published together.
        plans = (plan_of(cell, product, [hour]) for hour in wanted)
        for done in chain.from_iterable(
            execute(spark, cell, product, plan, lambda _table: accept, run_id="publish")
            for plan in plans
        ):
            if not isinstance(done.outcome, Publication):
                raise RuntimeError(f"{done.build.hour} was not built: {done.outcome}")
            took = {step: line["seconds"] for step, line in steps.taken().items()}
            settle_s = sum(took.get(step, 0.0) for step in AFTER_AUDIT)
            found.append(
                Published(done.build.derived_table, done.build.hour, took[PUBLISH], settle_s)
            )
            if len(found) % 20 == 0:
                say(f"{len(found):,} published")
    return found
