"""Headwater, by its public API: one plan of all hours that are due, every guarantee on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import headwater
from benchmarks.backfill.contestants import nothing_to_fetch, this_python
from benchmarks.backfill.work import Place, Target, Work
from benchmarks.hourly.prepare import SPARK_OF_HEADWATER, plan_of
from pipeline.cells import Cell
from pipeline.contract.model import published_table
from pipeline.settings import load_settings
from pipeline.spark.jars import spark_jars
from pipeline.spark.session import start_session

TITLE = "Headwater"
AUDITED = "every expectation of the contracts, of every hour, before readers see any of it"
FAILING = "they are published; the failing hour is kept, and told"
ready, python = nothing_to_fetch, this_python


class Builder:
    """Builds hours in one Spark session."""

    def __init__(self, work: Work) -> None:
        self._product = headwater.load_product(Path(work.product))
        self._tables = [target.name for target in work.targets]
        cell = replace(work.live.cell(), spark=SPARK_OF_HEADWATER)
        self._spark = start_session(cell, spark_jars(load_settings().cache, cell))

    def run(self, place: Place) -> None:
        """Build all that is due."""
        self.build(place.cell(), None)

    def build(self, cell: Cell, hours: Iterable[datetime] | None) -> None:
        """Build what is due of `hours`, of all hours if None.

        Raises:
            RuntimeError: an hour was not published.
        """
        with headwater.hold_lock(headwater.batch_lock(cell, self._product.name), "benchmark"):
            plan = plan_of(cell, self._product, hours, self._tables)
            for built in headwater.build_hours(cell, self._product, plan, spark=self._spark):
                if built.publication is None:
                    raise RuntimeError(f"{built.build} was not published: {built.error}")

    def close(self) -> None:
        """Stop Spark."""
        self._spark.stop()


def start(work: Work) -> Builder:
    """Start Spark."""
    return Builder(work)


def table(cell: Cell, product: str, target: Target) -> str:  # noqa: ARG001 - it is in any cell
    """Return the table that main has; a feature's is its history."""
    loaded = headwater.load_product(Path(product))
    (found,) = (one for one in loaded.derived_tables if one.name == target.name)
    return published_table(loaded, found)
