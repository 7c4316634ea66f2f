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
from pipeline.batch.lineage.audits import audit_event
from pipeline.batch.lineage.hours import hour_completed, hour_ended, hour_started
from pipeline.batch.model import Source, Staged, StagedHour
from pipeline.cells import Cell, embedded_cell
from pipeline.contract.model import Product
from pipeline.control.publications import Publication, PublicationLog
from pipeline.ingest.lineage.events import SoFar, ingest_event
from pipeline.ingest.report import IngestReport
from pipeline.ledger.model import Entry
from pipeline.lineage.emitter import Emitter
from pipeline.lineage.facets.source_code import repository_address, source_location
from pipeline.lineage.runs import ParentRun
from pipeline.lineage.told import Ending
from quality.audit import ExpectationResult
from tests.support.hour_builds import Opinion
from tests.support.openlineage_schemas import check_event
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


def context(
    folder: Path,
    product: Product,
    number: int = 5,
    run: str = "run 1",
    parent: ParentRun | None = None,
) -> RangeContext:
    # Lineage asks no Spark.
    spark = cast("SparkSession", None)
    table, source = product.derived_tables[0], Source(11, 0)
    sources, log = {hour(number): source}, PublicationLog()
    return RangeContext(spark, cell(folder), product, table, sources, run, log, parent=parent)


def written(folder: Path, *events: RunEvent) -> list[dict[str, Any]]:
    emitter = Emitter(cell(folder), "run 1")
    emitter.emit(*events)
    told = [json.loads(line) for line in emitter.path.read_text().splitlines()]
    for one in told:
        check_event(one)
    return told


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
    how = Ending(RunState.FAIL, "the audit failed")
    failure = hour_ended(context(tmp_path, product), hour(5), hour(6), how)
    (failed,) = written(tmp_path, failure)
    assert failed["eventType"] == "FAIL"
    assert failed["run"]["facets"]["errorMessage"]["message"] == "the audit failed"


def test_an_ingest_reads_the_topic_and_writes_events_and_dead_letters(tmp_path: Path) -> None:
    report = IngestReport(
        commits=3, offsets=11, rows=8, dead_letters=2, gaps=1, late=3, snapshot_id=44
    )
    report.reasons["stale"] = 2
    entries = (Entry(0, 5, 10, rows=5), Entry(3, 0, 6, rows=3, dead_letters=2, control=1))
    (completed,) = written(
        tmp_path,
        ingest_event(
            RunState.COMPLETE,
            cell(tmp_path),
            orders_product(tmp_path),
            "run 1",
            hour(6) + timedelta(minutes=1),
            SoFar("abc", report, entries, SCHEMA.as_arrow()),
        ),
    )
    (topic,) = completed["inputs"]
    assert (topic["namespace"], topic["name"]) == ("kafka://127.0.0.1:9092", "orders")
    assert topic["facets"]["version"]["datasetVersion"] == "abc"
    assert topic["inputFacets"]["inputStatistics"]["rowCount"] == 10
    offsets = topic["inputFacets"]["headwater_kafkaOffsets"]
    assert (offsets["topic"], offsets["topicId"]) == ("orders", "abc")
    assert offsets["partitions"] == [
        {"partition": 0, "start": 5, "end": 10},
        {"partition": 3, "start": 0, "end": 6},
    ]
    counts = {
        output["name"]: output["outputFacets"]["outputStatistics"]["rowCount"]
        for output in completed["outputs"]
    }
    assert counts == {"orders.events": 8, "orders.dead_letters": 2}
    gates = completed["outputs"][0]["outputFacets"]["headwater_gates"]
    assert (gates["late"], gates["deadLettersByReason"]) == (3, {"stale": 2})


def test_a_start_says_nothing_of_what_is_not_done_yet(tmp_path: Path) -> None:
    event = ingest_event(
        RunState.START,
        cell(tmp_path),
        orders_product(tmp_path),
        "run 1",
        hour(6),
        SoFar(None, IngestReport()),
    )
    (started,) = written(tmp_path, event)
    assert started["inputs"][0]["inputFacets"] == {}
    assert all(output["outputFacets"] == {} for output in started["outputs"])


def test_an_audit_is_a_run_of_its_own_that_is_part_of_the_hours(tmp_path: Path) -> None:
    dagster = ParentRun("6f1c0e1e-63f4-4c4b-9a6e-0f6c9f8f3f11", "us__orders__hours", "dagster")
    built = context(tmp_path, orders_product(tmp_path), parent=dagster)
    staged = Staged(
        "orders.sales", "wap", 11, 22, None, "1.2.0", "run 1", 2, (StagedHour(hour(5), 4, 9, ""),)
    )
    verdict = Opinion(results=(finding("region", unexpected=0), finding("orders", unexpected=3)))
    started, audited, completed = written(
        tmp_path,
        audit_event(RunState.START, built, staged, hour(5), hour(6)),
        audit_event(RunState.COMPLETE, built, staged, hour(5), hour(6), verdict=verdict),
        hour_completed(built, PUBLICATION, SCHEMA, verdict),
    )
    assert started["run"]["runId"] == audited["run"]["runId"] != completed["run"]["runId"]
    parent, root = audited["run"]["facets"]["parent"], dagster.run_id
    assert parent["run"]["runId"] == completed["run"]["runId"]
    assert parent["job"]["name"] == completed["job"]["name"] == "orders.sales"
    assert parent["root"]["run"]["runId"] == root
    assert completed["run"]["facets"]["parent"]["run"]["runId"] == root
    (staging,) = audited["inputs"]
    assert staging["facets"]["version"]["datasetVersion"] == "22"
    facets = staging["inputFacets"]
    found = [
        (one["column"], one["success"]) for one in facets["dataQualityAssertions"]["assertions"]
    ]
    assert found == [("region", True), ("orders", False)]
    assert facets["dataQualityMetrics"]["columnMetrics"]["orders"]["nullCount"] == 3
    (written_,) = completed["outputs"]
    assert (
        written_["facets"]["dataQualityAssertions"]["assertions"]
        == facets["dataQualityAssertions"]["assertions"]
    )


def test_the_source_code_is_where_git_says_without_a_login(tmp_path: Path) -> None:
    git, folder = tmp_path / ".git", tmp_path / "contracts" / "orders"
    folder.mkdir(parents=True)
    assert source_location(folder) == {}
    (git / "refs" / "heads").mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    (git / "refs" / "heads" / "main").write_text("abc123\n")
    assert source_location(folder) == {}
    (git / "config").write_text('[remote "origin"]\n\turl = https://me:hush@git.test/data.git\n')
    found: Any = source_location(folder)["sourceCodeLocation"]
    assert (found.version, found.branch, found.path) == ("abc123", "main", "contracts/orders")
    assert found.repoUrl == "https://git.test/data.git"
    assert found.url == "https://git.test/data/contracts/orders"
    assert repository_address("git@git.test:team/data.git") == "ssh://git.test/team/data.git"
    (git / "HEAD").write_bytes(b"\xff\xfe")
    assert source_location(folder) == {}


def finding(column: str, unexpected: int) -> ExpectationResult:
    return ExpectationResult(
        "expect_column_values_to_not_be_null", "", column, "", "", unexpected == 0, unexpected
    )


def test_lineage_that_cannot_be_written_does_not_stop_the_work(tmp_path: Path) -> None:
    (tmp_path / "cells" / "us").mkdir(parents=True)
    (tmp_path / "cells" / "us" / "lineage").write_text("in the way")
    product = orders_product(tmp_path)
    event = hour_started(context(tmp_path, product), hour(5), hour(6))
    Emitter(cell(tmp_path), "run 1").emit(event)
