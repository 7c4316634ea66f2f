"""What every stage of one hour's build is given."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pyspark.sql import SparkSession

from pipeline.batch.model import Source
from pipeline.cells import Cell
from pipeline.clock import Clock, utc_now
from pipeline.contract.model import DerivedTable, Product, published_table
from pipeline.control.publications import PublicationLog
from pipeline.spark.session import own_session
from pipeline.supervision.heartbeat import Pulse


@dataclass(frozen=True)
class HourContext:
    """One hour of one derived table, that one run builds in one cell.

    Attributes:
        spark: an engine that can open the cell.
        source: what the hour is computed from, pinned.
        publications: the product's; what the build records is added to it.
        pulse: the run's heartbeat, if it has one.
    """

    spark: SparkSession
    cell: Cell
    product: Product
    derived_table: DerivedTable
    hour: datetime
    source: Source
    run_id: str
    publications: PublicationLog
    clock: Clock = utc_now
    pulse: Pulse | None = None

    def at_stage(self, stage: str) -> None:
        """Say in the build's heartbeat that the hour is at `stage`, for whoever watches."""
        if self.pulse is not None:
            doing = f"{stage} {self.derived_table.name} {self.hour:%Y-%m-%dT%H}"
            self.pulse.beat(0, doing=doing)

    @property
    def table(self) -> str:
        """The identifier that the hour is published under: for a feature table, its history's."""
        return published_table(self.product, self.derived_table)

    @property
    def subject(self) -> str:
        """What an error is about."""
        return f"{self.cell.name}.{self.table} hour {self.hour:%Y-%m-%dT%H}"

    def session(self) -> SparkSession:
        """Return a new session on `spark`, with settings and views of its own."""
        return own_session(self.spark, self.cell)
