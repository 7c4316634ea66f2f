"""Hours built in processes of their own, each with a Spark of its own, which may be told to die."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

from pipeline.batch.planning.plan import HoursPlan
from pipeline.cells import Cell
from pipeline.contract.model import DerivedTable, Product
from pipeline.failpoints import arm
from pipeline.settings import load_settings
from pipeline.spark.jars import spark_jars
from pipeline.spark.session import start_session
from tests.support.apart import Attempt, start_apart
from tests.support.derivations import Chain
from tests.support.failpoints import sleep_at
from tests.support.hour_builds import Judge, Opinion

SHORT_LIVED = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""A JVM that works for seconds pays more for good machine code than it gains by it."""


def start_build(
    cell: Cell,
    product: Product,
    plan: HoursPlan,
    failing: Collection[datetime] = (),
    *,
    at: str,
    sleeps: bool = False,
) -> Attempt:
    """Start carrying a plan out, to die by SIGKILL at the failpoint `at` (`name:visit`).

    Audits pass, but for hours that are `failing`. With `sleeps` it is stopped there instead, until it is
    woken, and goes on. What became of each hour is added to what it says.
    """
    work = partial(build_until, cell, product, plan, frozenset(failing), at, sleeps)
    return start_apart(cell.root, work)


def fails_in(failing: Collection[datetime], _table: DerivedTable, of: datetime) -> Judge:
    """Return the judge of an hour of any table: only `failing` ones do not pass."""
    return lambda _frame: Opinion(of not in failing)


def build_until(
    cell: Cell,
    product: Product,
    plan: HoursPlan,
    failing: frozenset[datetime],
    at: str,
    sleeps: bool,
    said: Path,
) -> None:
    """Do in this process, the caller's own, what `start_build` says."""
    cell = replace(cell, spark={**cell.spark, "spark.driver.extraJavaOptions": SHORT_LIVED})
    spark = start_session(cell, spark_jars(load_settings().cache, cell))
    (sleep_at if sleeps else arm)(at)
    done = Chain(spark, cell, product).execute(plan, partial(fails_in, failing), run_id="apart")
    said.write_text("".join(f"{type(one.outcome).__name__}\n" for one in done))
    spark.stop()
