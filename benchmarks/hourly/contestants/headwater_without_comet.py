"""Headwater on Spark as it comes, with the memory that Comet had off the heap on it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from benchmarks.hourly.contestants import headwater
from benchmarks.hourly.prepare import SPARK
from pipeline.cells import Cell

TITLE = "Headwater without Comet"
GUARANTEES = headwater.GUARANTEES
files = headwater.files


def start(cell: Cell, hour: datetime) -> headwater.Builder:
    """Start Spark without Comet."""
    return headwater.Builder(replace(cell, spark=SPARK), hour)
