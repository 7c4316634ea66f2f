"""Headwater on a Spark that Apache DataFusion Comet accelerates; half of its memory is off the heap."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from benchmarks.hourly.contestants import headwater
from pipeline.cells import Cell
from pipeline.spark.comet import COMET

TITLE = "Headwater with Comet"
GUARANTEES = headwater.GUARANTEES
SPARK = {COMET: True, "spark.driver.memory": "2g", "spark.memory.offHeap.size": "2g"}
"""In place of the others' 4 GB of heap."""
files = headwater.files


def start(cell: Cell, hour: datetime) -> headwater.Builder:
    """Start Spark with Comet."""
    return headwater.Builder(replace(cell, spark={**cell.spark, **SPARK}), hour)
