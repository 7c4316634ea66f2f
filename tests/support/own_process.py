"""Building hours in a process of its own: one process has one Spark."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path
from typing import ParamSpec, TypeVar

from pyspark.sql import DataFrame

from headwater.hours import build_hours
from pipeline.batch.hour import build_hour
from pipeline.batch.jars import spark_jars
from pipeline.batch.model import Publication, Source
from pipeline.batch.plan import HourBuild, HoursPlan
from pipeline.batch.session import start_session
from pipeline.batch.why import Seen, Why
from pipeline.cells import load_cell
from pipeline.clock import utc_now
from pipeline.contract.model import Product
from pipeline.contract.targets.expectations import suite
from pipeline.settings import load_settings
from quality.audit import AuditResult, audit

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


def elsewhere(
    work: Callable[Given, Answer], *arguments: Given.args, **options: Given.kwargs
) -> Answer:
    """Return what `work` returns in a fresh process, which has ended by then. Raises what it raises."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *arguments, **options).result()


@dataclass(frozen=True)
class Job:
    """Hours of a product's first table to build, in the cell `us` of `home` as its cell.json says."""

    home: Path
    product: Product
    source: int

    def build(self, hours: Sequence[datetime]) -> list[Publication | None]:
        """Build `hours` as `headwater hours build` does; None where an audit failed."""
        name = self.product.aggregates[0].name
        builds = tuple(HourBuild(name, hour, 1, published=False, why=Why.NEW) for hour in hours)
        seen = Seen(dict.fromkeys(hours, 1), frozenset(hours), {}, utc_now())
        plan = HoursPlan(self.product.name, "us", self.source, builds, seen)
        cell = load_cell(self.home, "us")
        return [built.publication for built in build_hours(cell, self.product, plan, "run")]

    def build_overtaken(self, hour: datetime) -> int:
        """Build an hour while another build of it is first; return how many audits both took."""
        cell, aggregate = load_cell(self.home, "us"), self.product.aggregates[0]
        spark = start_session(cell, spark_jars(load_settings().cache))
        audits: list[AuditResult] = []

        def build() -> None:
            build_hour(
                spark,
                cell,
                self.product,
                aggregate,
                hour,
                judge,
                source=Source(self.source, 1),
                run_id="run",
            )

        def judge(frame: DataFrame) -> AuditResult:
            audits.append(audit(frame, suite(aggregate)))
            if len(audits) == 1:
                build()
            return audits[-1]

        build()
        spark.stop()
        return len(audits)
