"""Headwater as its UI backfills: Dagster's own backfill of a range of partitions, by the daemon of a stack.

The flights come over Kafka and the stack's own ingest, since Kafka is asked which hours are closed. The run's
process and its Spark start within the clock. Of the range, hours without flights are built, too.
"""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path

from assets.partitions import to_key
from benchmarks.backfill.contestants import headwater
from benchmarks.backfill.flights import write_flights
from benchmarks.backfill.work import Place, Work
from benchmarks.hourly.prepare import SPARK_OF_HEADWATER
from headwater.demo import wait_until_ingested
from headwater.produce.file import produce_file
from headwater.stack import stack
from headwater.stack.parts import WEBSERVER
from headwater.stack.ports import free_port
from pipeline.cells import embedded_cell, load_cell, save_cell
from pipeline.contract.load import load_product
from pipeline.hours.read import read_hour_states
from pipeline.settings import load_settings
from tests.support.dagster_api import DagsterApi, wait_until

TITLE = "Headwater, from Dagster's UI"
AUDITED, FAILING = headwater.AUDITED, headwater.FAILING
ready, python, table = headwater.ready, headwater.python, headwater.table
PATIENCE_S = 3_600.0


class _Runner:
    def __init__(self, work: Work) -> None:
        self._place, folder = work.live, Path(work.product)
        self._tables = [target.name for target in work.targets]
        self._product = load_product(folder)
        self._settings = replace(
            load_settings(), home=Path(self._place.root), contracts=folder.parent
        )
        try:
            self._api = self._stack()
            self._api.stop_building(self._place.name, self._product.name)
            self._ingest()
        except BaseException:
            self.close()
            raise

    def _stack(self) -> DagsterApi:
        home, name = self._settings.home, self._place.name
        # Its cell has the books of a topic that is nowhere: this one begins with nothing.
        shutil.rmtree(home)
        save_cell(home, replace(embedded_cell(home, name, ""), spark=SPARK_OF_HEADWATER))
        parts = stack.up(self._settings, [name], _say, kafka_port=free_port(), web_port=free_port())
        (address,) = (part.address for part in parts if part.name == WEBSERVER)
        return DagsterApi(address or "")

    def _ingest(self) -> None:
        cell, product = load_cell(self._settings.home, self._place.name), self._product
        file = self._settings.home / "flights.csv"
        write_flights(file, self._place.rows)
        produce_file(cell, product, str(file))
        wait_until_ingested(cell, product, PATIENCE_S, _say)
        if len(read_hour_states(cell, product).closed) < self._place.hours:
            raise RuntimeError("not every hour is closed")

    def run(self, place: Place) -> None:
        if place != self._place:
            # No run is warm from another: each is a process of its own.
            return
        first, *others = ([place.name, self._product.name, name] for name in self._tables)
        asked = self._api.backfill(first, [to_key(hour) for hour in place.each_hour()], *others)
        wait_until("the backfill complete", lambda: self._api.backfilled(asked), PATIENCE_S)

    def close(self) -> None:
        stack.down(self._settings, _say)


def start(work: Work) -> _Runner:
    """Start a stack, and have it ingest the flights."""
    return _Runner(work)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
