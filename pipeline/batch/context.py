"""What every stage of the build of a range of hours is given."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from pyspark.sql import DataFrame, SparkSession

from pipeline.batch.model import Source
from pipeline.cells import Cell
from pipeline.clock import Clock, utc_now
from pipeline.contract.model import DerivedTable, Product, Reference, published_table
from pipeline.control.publications import PublicationLog
from pipeline.lineage.runs import ParentRun
from pipeline.spark.session import own_session
from pipeline.supervision.heartbeat import Pulse
from pipeline.supervision.locks import batch_lock, confirm_lock


class InputRows(Protocol):
    """Where the rows that logic reads come from, in place of the cell's tables."""

    def events(self, session: SparkSession) -> DataFrame:
        """Return events."""
        ...

    def table(self, session: SparkSession, name: str) -> DataFrame:
        """Return the rows of a derived table of the product."""
        ...

    def reference(self, session: SparkSession, reference: Reference) -> DataFrame:
        """Return reference data."""
        ...


@dataclass(frozen=True)
class RangeContext:
    """Hours of one derived table that one run builds together in one cell; one hour is a range, too.

    Attributes:
        spark: an engine that can open the cell.
        sources: what each hour is computed from, pinned, oldest hour first; all of one snapshot of events.
        publications: the product's; what the build records is added to it.
        pulse: the run's heartbeat, if it has one.
        given: rows to compute from in place of the cell's, if there are such.
        parent: the run that builds of these hours are part of, as lineage has it.
    """

    spark: SparkSession
    cell: Cell
    product: Product
    derived_table: DerivedTable
    sources: Mapping[datetime, Source]
    run_id: str
    publications: PublicationLog
    clock: Clock = utc_now
    pulse: Pulse | None = None
    given: InputRows | None = None
    parent: ParentRun | None = None

    @property
    def hours(self) -> tuple[datetime, ...]:
        """The hours, oldest first."""
        return tuple(self.sources)

    @property
    def source_snapshot_id(self) -> int:
        """The snapshot of events that all hours are computed from.

        Raises:
            ValueError: there is no hour, or they are of several.
        """
        (snapshot_id,) = {source.snapshot_id for source in self.sources.values()}
        return snapshot_id

    def only(self, hours: Collection[datetime]) -> RangeContext:
        """Return the context of those of its hours that `hours` has."""
        kept = {hour: source for hour, source in self.sources.items() if hour in hours}
        return replace(self, sources=kept)

    def at_stage(self, stage: str) -> None:
        """Say in the build's heartbeat that the hours are at `stage`, for whoever watches."""
        if self.pulse is not None:
            doing = f"{stage} {self.derived_table.name} {span(self.hours)}"
            self.pulse.beat(0, doing=doing)

    def confirm(self) -> None:
        """Go on, unless this process has taken the product's batch lock and another host has it now.

        Raises:
            LeaseLostError: another host has it.
            StateUnavailableError: nobody knows.
        """
        confirm_lock(batch_lock(self.cell, self.product.name))

    @property
    def table(self) -> str:
        """The identifier that the hours are published under: for a feature table, its history's."""
        return published_table(self.product, self.derived_table)

    @property
    def subject(self) -> str:
        """What an error is about."""
        return f"{self.cell.name}.{self.table} {hours_named(self.hours)}"

    def session(self) -> SparkSession:
        """Return a new session on `spark`, with settings and views of its own."""
        return own_session(self.spark, self.cell)


def span(hours: Collection[datetime]) -> str:
    """Return the first and the last of some hours, or the only one."""
    first, last = min(hours), max(hours)
    return f"{first:{HOUR}}" if first == last else f"{first:{HOUR}}..{last:{HOUR}}"


def hours_named(hours: Collection[datetime]) -> str:
    """Return hours as an error names them."""
    return f"{'hour' if len(hours) == 1 else 'hours'} {span(hours)}"


HOUR = "%Y-%m-%dT%H"
