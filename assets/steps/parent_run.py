"""Dagster's run as lineage names it."""

from __future__ import annotations

import dagster as dg

from pipeline.lineage.runs import ParentRun

NAMESPACE = "dagster"
"""Of Dagster's jobs, which say their cell and product by their names."""


def parent_run(context: dg.OpExecutionContext | dg.AssetExecutionContext) -> ParentRun:
    """Return the run that a step is of: what the engine does in it is part of that."""
    return ParentRun(context.run.run_id, context.run.job_name, NAMESPACE)
