"""Building hours in a process of its own: one process has one Spark."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import ParamSpec, TypeVar

from headwater.build import build_hours
from pipeline.batch.model import Source
from pipeline.batch.planning.plan import HoursPlan
from pipeline.batch.wap.publish import publish
from pipeline.batch.wap.stage import stage
from pipeline.cells import load_cell
from pipeline.contract.model import Product
from pipeline.control.publications import Publication
from pipeline.errors import HeadwaterError
from pipeline.settings import load_settings
from pipeline.spark.jars import spark_jars
from pipeline.spark.session import start_session
from tests.support.hour_builds import hour_context

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


def elsewhere(
    work: Callable[Given, Answer], *arguments: Given.args, **options: Given.kwargs
) -> Answer:
    """Return what `work` returns in a fresh process, which has ended by then. Raises what it raises."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *arguments, **options).result()


def build_plan(home: Path, product: Product, plan: HoursPlan) -> list[Publication]:
    """Carry a plan out as `headwater hours build` does, in the cell that `home` configures."""
    done = list(build_hours(load_cell(home, plan.cell), product, plan, run_id="run"))
    return [one.publication for one in done if one.publication is not None]


def build_and_outdate(home: Path, product: Product, plan: HoursPlan) -> str:
    """Carry a plan out; then stage its first hour twice and publish both, which must not be.

    Returns the name of the error that refuses the second.
    """
    build_plan(home, product, plan)
    cell, first = load_cell(home, plan.cell), plan.builds[0]
    table = next(table for table in product.derived_tables if table.name == first.derived_table)
    source = Source(plan.source_snapshot_id or 0, first.rows)
    spark = start_session(cell, spark_jars(load_settings().cache, cell))
    context = hour_context(spark, cell, product, table, first.hour, source)
    one, other = stage(context), stage(context)
    publish(spark, cell, one)
    try:
        publish(spark, cell, other)
    except HeadwaterError as error:
        return type(error).__name__
    finally:
        spark.stop()
    return "none"
