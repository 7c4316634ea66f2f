"""One build of a plan's hours, a backfill for one: the OpenLineage run that the hours' runs are part of."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.batch.lineage.hours import table_inputs, table_outputs, tables_of
from pipeline.batch.planning.plan import HoursPlan
from pipeline.cells import Cell
from pipeline.clock import HOUR, Clock
from pipeline.contract.model import Product
from pipeline.control.publications import Publication
from pipeline.lineage.emitter import Emitter
from pipeline.lineage.facets.common import run_uuid
from pipeline.lineage.jobs import product_job
from pipeline.lineage.runs import SPARK, ParentRun, run_of
from pipeline.lineage.told import ToldRun


@dataclass
class BuildRun:
    """The run of a plan's build, told as its hours are done.

    Attributes:
        told: what it says of itself.
        as_parent: what the hours' runs are part of.
    """

    told: ToldRun
    as_parent: ParentRun
    _hours: int
    _published: int = field(default=0)

    @classmethod
    def of(
        cls,
        cell: Cell,
        product: Product,
        plan: HoursPlan,
        run_id: str,
        clock: Clock,
        parent: ParentRun | None,
    ) -> BuildRun:
        """Return the run that builds `plan`, which has hours."""
        job = product_job(cell, product, "hours", "Builds hours of the product's derived tables.")
        own = run_uuid(cell.name, job.name, run_id)
        hours = [build.hour for build in plan.builds]
        tables = tables_of(product, {build.derived_table for build in plan.builds})
        inputs = {
            (one.namespace, one.name): one
            for table in tables
            for one in table_inputs(cell, product, table, plan.source_snapshot_id)
        }
        told = ToldRun(
            Emitter(cell, run_id),
            job,
            run_of(own, SPARK, parent=parent, nominal=(min(hours), max(hours) + HOUR)),
            clock,
            list(inputs.values()),
            [one for table in tables for one in table_outputs(cell, product, table)],
        )
        as_parent = (
            ParentRun(own, job.name, job.namespace)
            if parent is None
            else parent.child(own, job.name, job.namespace)
        )
        return cls(told, as_parent, len(hours))

    def done(self, outcome: object) -> None:
        """One hour is done; the run fails unless all are published."""
        self._published += isinstance(outcome, Publication)
        self.told.goes_on()

    def over(self) -> None:
        """All hours are done."""
        if self._published < self._hours:
            self.told.why = (
                f"{self._hours - self._published} of {self._hours} hours were not published."
            )
