"""What a plan of hours would do, in words. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from pipeline.batch.planning.plan import HoursPlan
from pipeline.batch.planning.stages import (
    Audit,
    DeriveFeatures,
    HourStage,
    Publish,
    Record,
    Release,
    Stage,
)


def explain(plan: HoursPlan) -> Iterator[str]:
    """Yield, line by line, what `execute` would do: each hour with its reason, and its stages."""
    yield f"from snapshot {plan.source_snapshot_id} of {plan.product}.events in {plan.cell}"
    for build in plan.builds:
        hour = f"{build.hour:%Y-%m-%dT%H} {build.derived_table}"
        yield f"  {hour}: {build.rows:,} events, {build.reason}"
        for stage in build.stages:
            yield f"    {stage.kind}: {explain_stage(stage)}"
    if not plan.builds:
        yield "  nothing to build"


def explain_stage(stage: HourStage) -> str:
    """Return what executing a stage does."""
    match stage:
        case Stage():
            reads = ", ".join(stage.reads)
            return (
                f"compute it by {stage.language} from {reads}; write it to {stage.table}, off main"
            )
        case Audit():
            return f"hold it to {stage.expectations} expectations; if they are not met, main stays as it is"
        case Publish():
            return f"put it on main of {stage.table}, whole"
        case DeriveFeatures():
            return f"bring {stage.table} up to {stage.history}; move the tag `served`"
        case Release():
            return "take the digest of its rows; drop the staging's tags"
        case Record():
            return f"add its row to {stage.table}"
        case _:
            assert_never(stage)
