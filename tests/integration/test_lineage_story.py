"""Two events, from their headers to the features that are made of them: a story."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

import headwater
from pipeline.completeness.measure import measure_completeness
from pipeline.dead_letters.replay import replay
from pipeline.dead_letters.selection import Selection
from pipeline.event_state import State
from pipeline.maintenance.plan import MaintenancePolicy
from pipeline.maintenance.run import maintain
from pipeline.query.run import run_query
from pipeline.trace.model import Answer, Trace
from pipeline.trace.read import trace_event
from tests.support.products import own_product

DERIVED = Path(__file__).parent.parent / "data" / "derived"
TABLES = {"readings_hourly", "sensor_runs", "sensor_features"}
EAGER = MaintenancePolicy(
    retain=timedelta(0), retain_last=1, retain_commits=timedelta(0), min_files=2, min_manifests=2
)
GOOD, LATE = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
COMMIT = """
SELECT snapshot_id FROM table_changes
WHERE "table" = 'events' AND partition = {0} AND first_offset <= {1} AND last_offset >= {1}
"""
MADE_OF = """
WITH served AS (
  SELECT unnest(lineage).snapshot_id AS id FROM table_changes WHERE "table" = 'sensor_features'
),
history AS (
  SELECT unnest(lineage) AS made_of FROM table_changes
  WHERE snapshot_id IN (FROM served) AND hour = TIMESTAMPTZ '{}'
)
SELECT earlier.snapshot_id FROM table_history AS earlier JOIN table_history AS source USING ("table")
WHERE source.snapshot_id IN (SELECT made_of.snapshot_id FROM history)
  AND source."table" = 'events' AND earlier.sequence_number <= source.sequence_number
"""
THROUGH = [State.RAW, State.ENRICHED, State.VALIDATED, State.SINK_COMMITTED, State.ARCHIVED]
pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def product(tmp_path: Path) -> headwater.Product:
    folder = own_product("strict_events", tmp_path / "contracts").folder
    for derived in DERIVED.iterdir():
        shutil.copytree(derived, folder.parent / derived.name)
    return headwater.load_product(folder)


def test_two_events_are_followed_to_their_features(
    cell: headwater.Cell, product: headwater.Product, spark: SparkSession
) -> None:
    at = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=3)

    # One event arrives in time, another long after it was made.
    send(cell, product, GOOD, at, delay=timedelta(0))
    send(cell, product, LATE, at, delay=timedelta(hours=1))
    headwater.ingest(cell, product, once=True)
    assert trace_event(cell, product, LATE).answer is Answer.DEAD_LETTER

    # Somebody sends the second one back, and the hour is built of both.
    replay(cell, product, Selection(), by="ann", reason="the link was slow")
    headwater.ingest(cell, product, once=True)
    plan = headwater.plan_hours(product, headwater.read_plan_inputs(cell, product))
    list(headwater.build_hours(cell, product, plan, spark=spark))

    for _ in range(2):
        good, late = (trace_event(cell, product, uuid) for uuid in (GOOD, LATE))
        assert (good.answer, late.answer) == (Answer.ROW, Answer.LATE)
        assert states(good) == THROUGH
        assert states(late)[:3] == [State.RAW, State.ENRICHED, State.DEAD_LETTER]
        assert states(late)[-3:] == THROUGH[-3:]
        for found in (good, late):
            (row,) = found.facts.rows
            assert (row.headers.producer, row.headers.job_id) == ("gateway", "job-17")
            assert reached(found) == TABLES
            # The same in SQL: what the features were made of had the commit of the row's offset.
            ((commit,),) = ask(cell, COMMIT.format(row.place.partition, row.place.offset))
            assert commit in [earlier for (earlier,) in ask(cell, MADE_OF.format(at))]
        assert all(one.is_full for one in measure_completeness(cell, product))
        # Nothing of it is forgotten when snapshots expire and files are rewritten.
        maintain(cell, product, EAGER)


def send(
    cell: headwater.Cell, product: headwater.Product, uuid: str, at: datetime, delay: timedelta
) -> None:
    """Send a reading of the moment `at`, as a gateway's job does, so much later."""
    headwater.ensure_topic(cell, product)
    micros = int(at.timestamp() * 1_000_000)
    writer = headwater.EventWriter(
        cell, product, headwater.open_registry(cell), producer="gateway", job_id="job-17"
    )
    with writer:
        payload = {"sensor": "attic", "at": micros, "value": 1, "note": None}
        sent = micros + int(delay.total_seconds() * 1_000_000)
        writer.send(payload, key="attic", event_time=micros, uuid=uuid, record_time=sent)


def states(found: Trace) -> list[State]:
    return [one.state for one in found.milestones]


def reached(found: Trace) -> set[str]:
    """The tables that have an hour which was built with the event and stands."""
    (row,) = found.facts.rows
    return {
        one.table
        for one in found.facts.reached[row.place]
        if any(build.holds and build.is_current for build in one.builds)
    }


def ask(cell: headwater.Cell, query: str) -> list[tuple[Any, ...]]:
    with run_query(cell, query) as answer:
        return [tuple(row.values()) for batch in answer.batches for row in batch.to_pylist()]
