"""OpenLineage events: what they say, and that they are kept whole."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from openlineage.client.event_v2 import RunEvent, RunState
from pyiceberg.schema import Schema
from pyiceberg.types import LongType, NestedField, StringType
from pyspark.sql import SparkSession

from pipeline.batch.context import RangeContext
from pipeline.batch.lineage import hour_completed, hour_failed, hour_started
from pipeline.batch.model import Source
from pipeline.cells import Cell, embedded_cell
from pipeline.contract.model import Product
from pipeline.control.publications import Publication, PublicationLog
from pipeline.ingest.lineage.events import ingest_event
from pipeline.lineage.emitter import Emitter
from tests.support.orders import SQL, hour, orders_product

SCHEMA = Schema(
    NestedField(1, "region", StringType(), required=False, doc="Where."),
    NestedField(2, "orders", LongType(), required=False),
)
PUBLICATION = Publication(
    "orders.sales", hour(5), hour(7), 11, 22, 33, "wap", 4, "1.2.0", "run 1", 2
)


def cell(folder: Path) -> Cell:
    return embedded_cell(folder, "us", "127.0.0.1:9092,127.0.0.1:9093")


def context(folder: Path, product: Product, number: int = 5, run: str = "run 1") -> RangeContext:
    # Lineage asks no Spark.
    spark = cast("SparkSession", None)
    table, source = product.derived_tables[0], Source(11, 0)
    return RangeContext(
        spark, cell(folder), product, table, {hour(number): source}, run, PublicationLog()
    )


def written(folder: Path, *events: RunEvent) -> list[dict[str, Any]]:
    emitter = Emitter(cell(folder), "run 1")
    emitter.emit(*events)
    return [json.loads(line) for line in emitter.path.read_text().splitlines()]


def test_an_hours_build_names_source_and_result_by_their_snapshots(tmp_path: Path) -> None:
    product = orders_product(tmp_path)
    where, built = cell(tmp_path), context(tmp_path, product)
    started, completed = written(
        tmp_path, hour_started(built, hour(5), hour(6)), hour_completed(built, PUBLICATION, SCHEMA)
    )
    assert (started["eventType"], completed["eventType"]) == ("START", "COMPLETE")
    assert started["run"]["runId"] == completed["run"]["runId"]
    assert started["job"]["namespace"] == "us"
    assert started["job"]["name"] == "orders.sales"
    assert started["job"]["facets"]["sql"]["query"] == SQL
    nominal = completed["run"]["facets"]["nominalTime"]
    assert nominal["nominalStartTime"] == "2026-01-01T05:00:00+00:00"
    (source,), (result,) = completed["inputs"], completed["outputs"]
    assert source["name"] == "orders.events"
    assert source["facets"]["version"]["datasetVersion"] == "11"
    assert (result["namespace"], result["name"]) == (where.warehouse, "orders.sales")
    assert result["facets"]["version"]["datasetVersion"] == "33"
    assert result["outputFacets"]["outputStatistics"]["rowCount"] == 4
    fields = result["facets"]["schema"]["fields"]
    assert [(field["name"], field["type"]) for field in fields] == [
        ("region", "string"),
        ("orders", "long"),
    ]


def test_hours_and_runs_have_run_ids_of_their_own(tmp_path: Path) -> None:
    product = orders_product(tmp_path)
    events = [
        hour_started(context(tmp_path, product, number, run), hour(number), hour(6))
        for number in (5, 6)
        for run in ("run 1", "run 2")
    ]
    assert len({event.run.runId for event in events}) == 4


def test_a_failure_says_why(tmp_path: Path) -> None:
    product = orders_product(tmp_path)
    failure = hour_failed(context(tmp_path, product), hour(5), hour(6), "the audit failed")
    (failed,) = written(tmp_path, failure)
    assert failed["eventType"] == "FAIL"
    assert failed["run"]["facets"]["errorMessage"]["message"] == "the audit failed"


def test_an_ingest_reads_the_topic_and_writes_events_and_dead_letters(tmp_path: Path) -> None:
    (completed,) = written(
        tmp_path,
        ingest_event(
            RunState.COMPLETE,
            cell(tmp_path),
            orders_product(tmp_path),
            "run 1",
            hour(6) + timedelta(minutes=1),
            topic_id="abc",
            records=10,
            snapshot_id=44,
            rows=8,
            dead_letters=2,
            schema=SCHEMA,
        ),
    )
    (topic,) = completed["inputs"]
    assert (topic["namespace"], topic["name"]) == ("kafka://127.0.0.1:9092", "orders")
    assert topic["facets"]["version"]["datasetVersion"] == "abc"
    assert topic["inputFacets"]["inputStatistics"]["rowCount"] == 10
    counts = {
        output["name"]: output["outputFacets"]["outputStatistics"]["rowCount"]
        for output in completed["outputs"]
    }
    assert counts == {"orders.events": 8, "orders.dead_letters": 2}


def test_lineage_that_cannot_be_written_does_not_stop_the_work(tmp_path: Path) -> None:
    (tmp_path / "cells" / "us").mkdir(parents=True)
    (tmp_path / "cells" / "us" / "lineage").write_text("in the way")
    product = orders_product(tmp_path)
    event = hour_started(context(tmp_path, product), hour(5), hour(6))
    Emitter(cell(tmp_path), "run 1").emit(event)
