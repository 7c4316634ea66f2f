"""What a plan of hours would do, in words. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from pipeline.batch.planning.plan import HourBuild, HoursPlan
from pipeline.batch.planning.range_logic import HourByHour, Ranged, RangeLogic, Sequential
from pipeline.batch.planning.ranges import RangeBounds, RangeBuild, RangesPlan
from pipeline.batch.planning.stages import (
    Audit,
    DeriveFeatures,
    HourStage,
    Publish,
    Record,
    Release,
    Stage,
)
from pipeline.batch.sql.custom import CustomQuery

_HOUR = "%Y-%m-%dT%H"


def explain(plan: HoursPlan, ranges: RangesPlan | None) -> Iterator[str]:
    """Yield, line by line, what `execute` would do: which hours together and why, and their stages.

    `ranges` are the plan's; None if it has nothing to build.
    """
    yield f"from snapshot {plan.source_snapshot_id} of {plan.product}.events in {plan.cell}"
    if ranges is None:
        yield "  nothing to build"
        return
    yield explain_bounds(ranges.bounds)
    due = {one.derived_table for one in ranges.ranges}
    yield from (
        f"  {name}: {explain_logic(logic)}" for name, logic in ranges.logic.items() if name in due
    )
    yield from (
        f"  {name}: {query.name}: {explain_query(query)}"
        for name, queries in ranges.queries.items()
        for query in queries
        if name in due
    )
    for one in ranges.ranges:
        yield from _explain_range(one)


def _explain_range(one: RangeBuild) -> Iterator[str]:
    first, *more = one.builds
    if more:
        span = f"{first.hour:{_HOUR}}..{more[-1].hour:{_HOUR}}"
        yield f"  {span} {one.derived_table}: {len(one.hours)} hours together"
        yield from (f"    {build.hour:{_HOUR}}: {_why(build)}" for build in one.builds)
    else:
        yield f"  {first.hour:{_HOUR}} {one.derived_table}: {_why(first)}"
    yield from (f"    {stage.kind}: {explain_stage(stage)}" for stage in first.stages)


def _why(build: HourBuild) -> str:
    return f"{build.rows:,} events, {build.reason}"


def explain_bounds(bounds: RangeBounds) -> str:
    """Return how much is built together at most."""
    return (
        f"at most {bounds.rows:,} events and {bounds.hours} hours together, "
        f"{bounds.one_by_one} where they are computed one by one"
    )


def explain_logic(logic: RangeLogic) -> str:
    """Return how hours of a table are computed together, or why they are not."""
    match logic:
        case Ranged(sql=None):
            return "its logic computes a range of hours at once, as its contract says"
        case Ranged():
            most = logic.most_rows
            alone = "" if most is None else f", but an hour of more than {most:,} events alone"
            return (
                f"one statement computes a range of hours at once{alone}; hour by hour where Spark "
                "finds types of columns, other than the contract's, for which that is not certain"
            )
        case HourByHour():
            return f"its hours are computed one by one: {logic.reason}"
        case Sequential():
            return f"its hours are built one after the other: {logic.reason}"
        case _:
            assert_never(logic)


def explain_query(query: CustomQuery) -> str:
    """Return whether a custom query is asked of the hours of a range at once, or why not."""
    if query.of_range is not None:
        return "what it finds is counted of all hours of a range at once"
    return f"each hour is asked by itself: {query.reason}"


def explain_stage(stage: HourStage) -> str:
    """Return what executing a stage does."""
    match stage:
        case Stage():
            reads = ", ".join(stage.reads)
            return f"compute by {stage.language} from {reads}; write to {stage.table}, off main"
        case Audit():
            return f"hold each hour to {stage.expectations} expectations; one that fails stays off main"
        case Publish():
            return f"put what passed on main of {stage.table}, at once"
        case DeriveFeatures():
            return f"bring {stage.table} up to {stage.history}; move the tag `served`"
        case Release():
            return "take the digest of each hour's rows; drop the staging's tags"
        case Record():
            return f"add a row an hour to {stage.table}"
        case _:
            assert_never(stage)
