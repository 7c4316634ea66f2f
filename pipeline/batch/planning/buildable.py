"""Which hours of a range can be built now, and what they are computed from. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.batch.model import UNKNOWN_INPUTS, Source
from pipeline.batch.planning.plan import HourBuild
from pipeline.batch.planning.staleness import (
    BuildReason,
    PlanInputs,
    build_reason,
    fingerprint,
    missing_inputs,
    source_rows,
)
from pipeline.clock import HOUR
from pipeline.contract.model import DerivedTable, Product


@dataclass(frozen=True)
class Buildable:
    """The builds of a range, as things stand when its turn comes.

    Attributes:
        builds: those that can be built together now, by hour, oldest first.
        missing: those that cannot be, each with an hour that it reads and its table.
        later: those that can be only once these are done.
    """

    builds: Mapping[datetime, HourBuild]
    missing: Sequence[tuple[HourBuild, tuple[str, datetime]]]
    later: Sequence[HourBuild]


def buildable(
    product: Product, table: DerivedTable, together: Sequence[HourBuild], inputs: PlanInputs
) -> Buildable:
    """Return what can be built of `together`; what only might have changed, and has not, is left out.

    Hours of a table that depends on its past are each computed with those before them: no gap is among them.
    """
    builds: dict[datetime, HourBuild] = {}
    missing: list[tuple[HourBuild, tuple[str, datetime]]] = []
    for place, build in enumerate(together):
        if (
            build.reason is BuildReason.MAY_CHANGE
            and build_reason(product, table, build.hour, inputs) is None
        ):
            continue
        if table.depends_on_past and builds and build.hour - HOUR not in builds:
            return Buildable(builds, missing, together[place:])
        lacking = (
            (name, hour)
            for name, hour in missing_inputs(product, table, build.hour, inputs)
            if not (name == table.name and hour in builds)
        )
        if (found := next(lacking, None)) is not None:
            missing.append((build, found))
        else:
            builds[build.hour] = build
    return Buildable(builds, missing, ())


def sources_of(
    product: Product,
    table: DerivedTable,
    hours: Iterable[datetime],
    inputs: PlanInputs,
    snapshot_id: int,
) -> dict[datetime, Source]:
    """Return what each of `hours`, which are built together, is computed from, in `snapshot_id` of events."""
    sources: dict[datetime, Source] = {}
    for hour in hours:
        known = (
            UNKNOWN_INPUTS
            if table.depends_on_past and hour - HOUR in sources
            else fingerprint(product, table, hour, inputs.last_publications)
        )
        sources[hour] = Source(snapshot_id, source_rows(table, hour, inputs.rows), known)
    return sources
