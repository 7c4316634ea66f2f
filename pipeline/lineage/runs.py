"""Runs as OpenLineage has them: their ids, what they are part of, and the engine that they run on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from uuid import UUID

from openlineage.client.event_v2 import Run
from openlineage.client.facet_v2 import (
    RunFacet,
    nominal_time_run,
    parent_run,
    processing_engine_run,
)

from pipeline.lineage.facets.common import error, run_uuid

HEADWATER, SPARK = "headwater", "spark"
"""Engines."""


@dataclass(frozen=True)
class ParentRun:
    """The run that another is part of: an orchestrator's, or one of Headwater's own.

    Attributes:
        run_id: a UUID; of any other text one is made, always the same.
        name, namespace: of its job.
        root: the outermost run that it is part of in turn; None if it is that itself.
    """

    run_id: str
    name: str
    namespace: str
    root: ParentRun | None = None

    @property
    def uuid(self) -> str:
        """Its id, as OpenLineage takes it."""
        try:
            return str(UUID(self.run_id))
        except ValueError:
            return run_uuid(self.run_id)

    def child(self, run_id: str, name: str, namespace: str) -> ParentRun:
        """Return a run that is part of it, as the parent of further ones."""
        return ParentRun(run_id, name, namespace, self.root or self)


def run_of(
    run_id: str,
    engine: str,
    *,
    parent: ParentRun | None = None,
    nominal: tuple[datetime, datetime] | None = None,
    why: str | None = None,
) -> Run:
    """Return the run `run_id`, a UUID, on `engine`.

    `nominal` are begin and end of the data's time that it is about; `why` says what ended one that failed.
    """
    facets: dict[str, RunFacet] = {"processing_engine": _engine(engine)}
    if nominal is not None:
        start, end = nominal
        facets["nominalTime"] = nominal_time_run.NominalTimeRunFacet(
            nominalStartTime=start.isoformat(), nominalEndTime=end.isoformat()
        )
    if parent is not None:
        facets["parent"] = _parent(parent)
    return Run(runId=run_id, facets=facets | error(why))


def _parent(parent: ParentRun) -> RunFacet:
    root = parent.root or parent
    return parent_run.ParentRunFacet(
        run=parent_run.Run(runId=parent.uuid),
        job=parent_run.Job(namespace=parent.namespace, name=parent.name),
        root=parent_run.Root(
            run=parent_run.RootRun(runId=root.uuid),
            job=parent_run.RootJob(namespace=root.namespace, name=root.name),
        ),
    )


@cache
def _engine(name: str) -> RunFacet:
    ours = _version("headwater")
    return processing_engine_run.ProcessingEngineRunFacet(
        name=name,
        version=_version("pyspark") if name == SPARK else ours,
        openlineageAdapterVersion=ours,
    )


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        # Run from its source.
        return "unknown"
