"""What somebody set aside of the offsets that are read."""

from __future__ import annotations

from pyiceberg.table import Table

from pipeline.ingest.model import Plan
from pipeline.tables.quarantines import Quarantine, read_quarantines


def planned_quarantines(plan: Plan, dead_letters: Table) -> tuple[Quarantine, ...]:
    """Return the quarantines that reach into the ranges of `plan`, by the dead letters table."""
    return tuple(
        one
        for one in read_quarantines(dead_letters)
        if one.topic_id == plan.identity.topic_id
        and any(
            r.partition == one.partition and r.start < one.end and one.start < r.end
            for r in (*plan.ranges, *plan.repairs)
        )
    )
