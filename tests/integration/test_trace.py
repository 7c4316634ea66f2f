"""One event's life by its uuid, held to the tables as another reader has them and to the topic."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest
from confluent_kafka import Producer
from pyspark.sql import SparkSession

from headwater.build import build_hours
from pipeline.batch.planning.plan import plan_hours
from pipeline.batch.planning.read_inputs import read_plan_inputs
from pipeline.cells import Cell
from pipeline.contract.load import load_product
from pipeline.contract.model import Product
from pipeline.dead_letters.discard import discard
from pipeline.dead_letters.fate import Fate
from pipeline.dead_letters.fixes.mapping import MappingFix
from pipeline.dead_letters.replay import replay
from pipeline.dead_letters.selection import Selection
from pipeline.errors import ExitCode
from pipeline.event_state import State
from pipeline.ingest.operations.quarantine import quarantine
from pipeline.ingest.run import ingest
from pipeline.maintenance.plan import MaintenancePolicy
from pipeline.maintenance.run import maintain
from pipeline.produce.event_writer import EventWriter
from pipeline.produce.topic import ensure_topic
from pipeline.query.run import run_query
from pipeline.schemas.open import open_registry
from pipeline.supervision.locks import batch_lock, hold_lock
from pipeline.tables.catalog import load_table
from pipeline.tables.layout import dead_letters_table, events_table
from pipeline.tables.offsets import committed_offsets
from pipeline.trace.duplicates import EVERYTHING, NOTHING, Limits
from pipeline.trace.model import Answer, Match, Seen, Trace
from pipeline.trace.read import trace_event
from tests.support.commands import command_for
from tests.support.lineage_whole import assert_lineage_whole
from tests.support.products import own_product

HOUR = 3_600_000_000
NOW = int(time.time() * 1_000_000) // HOUR * HOUR
ALL = Selection()
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
TOLD: list[tuple[str, str | bytes | None]] = [
    ("traceparent", TRACEPARENT.encode()),
    ("producer", b"gateway"),
    ("job_id", b"job-17"),
]
LATE = NOW - 20_000_000
EARLIER = datetime.fromtimestamp(NOW / 1_000_000 - 3 * 3_600, UTC)
"""An hour that is over."""
DERIVED = Path(__file__).parent.parent / "data" / "derived"

EAGER = MaintenancePolicy(
    retain=timedelta(0), retain_last=1, retain_commits=timedelta(0), min_files=2, min_manifests=2
)
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
"""Commits of events that the features' snapshot was made of, by way of its history."""

Send = Callable[..., int]


@pytest.fixture
def send(cell: Cell, strict_product: Product) -> Iterator[Send]:
    """Sends a reading with headers; returns its offset. All are of one key."""
    ensure_topic(cell, strict_product)
    producer = Producer({"bootstrap.servers": cell.bootstrap_servers})
    offsets: list[int] = []

    def delivered(error: object, message: Any) -> None:
        assert error is None
        offsets.append(message.offset())

    with EventWriter(cell, strict_product, open_registry(cell)) as writer:

        def one(number: int, *, at: int = NOW, came: int = NOW, **fields: Any) -> int:
            given = {"sensor": "s1", "at": at, "value": number, "note": None, **fields}
            value = writer.encode(given, key="s1", event_time=at, uuid=f"reading-{number}")
            producer.produce(
                strict_product.topic.name,
                value,
                b"s1",
                headers=TOLD,
                timestamp=came // 1_000,
                on_delivery=delivered,
            )
            assert producer.flush(30) == 0
            return offsets[-1]

        yield one


def build(cell: Cell, product: Product, spark: SparkSession) -> None:
    with hold_lock(batch_lock(cell, product.name), "a test"):
        plan = plan_hours(product, read_plan_inputs(cell, product))
        assert all(done.publication for done in build_hours(cell, product, plan, spark=spark))


def of_features(found: Trace) -> list[bool | None]:
    (hours,) = found.facts.reached.values()
    (hour,) = (one for one in hours if one.is_feature and one.hour == EARLIER)
    return [one.holds for one in hour.builds]


@pytest.mark.timeout(600)
def test_two_events_one_of_them_repaired_are_followed_to_their_features(
    cell: Cell, strict_product: Product, send: Send, spark: SparkSession
) -> None:
    """The whole story: one event goes straight through, another is stopped, mended and sent again."""
    contracts = strict_product.folder.parent
    shutil.copytree(DERIVED, contracts, dirs_exist_ok=True)
    product = load_product(strict_product.folder)
    at = int(EARLIER.timestamp() * 1_000_000)
    send(1, at=at, came=at)
    send(2, at=at, came=at + 20_000_000)
    ingest(cell, product, once=True)
    build(cell, product, spark)

    found = trace_event(cell, product, "reading-1")
    assert (found.answer, of_features(found)) == (Answer.ROW, [True])
    assert found.milestones[0].evidence["job_id"] == "job-17"
    (letter,) = trace_event(cell, product, "reading-2").facts.letters
    assert (letter.reason, letter.fate) == ("stale", Fate.OPEN)

    fix = MappingFix.parse(["note='came late'"])
    done = replay(cell, product, ALL, fix=fix, by="ann", reason="the network was slow")
    ingest(cell, product, once=True)
    found = trace_event(cell, product, "reading-2")
    assert (found.answer, of_features(found)) == (Answer.LATE, [False])
    build(cell, product, spark)

    found = trace_event(cell, product, "reading-2")
    assert of_features(found) == [False, True]
    (row,), (letter,) = found.facts.rows, found.facts.letters
    assert (letter.fate, row.replay_id, row.origin) == (Fate.LANDED, done.action_id, letter.place)
    assert of_features(trace_event(cell, product, "reading-1")) == [True, True]

    # The same in SQL, and once more when snapshots have expired and files are others.
    for _ in range(2):
        ((commit,),) = ask(cell, COMMIT.format(row.place.partition, row.place.offset))
        assert (commit,) in ask(cell, MADE_OF.format(EARLIER))
        assert of_features(trace_event(cell, product, "reading-2")) == [False, True]
        assert_lineage_whole(cell, product)
        maintain(cell, product, EAGER)


def ask(cell: Cell, query: str) -> list[tuple[Any, ...]]:
    with run_query(cell, query) as answer:
        return [tuple(row.values()) for batch in answer.batches for row in batch.to_pylist()]


def states(found: Trace) -> list[State]:
    return [one.state for one in found.milestones]


def row_of(cell: Cell, product: Product, uuid: str) -> dict[str, Any]:
    scan = load_table(cell, events_table(product.name)).scan(f"_uuid = '{uuid}'")
    (row,) = scan.to_arrow().to_pylist()
    return dict(row)


def test_an_event_goes_through_and_its_copy_is_found_where_it_was_dropped(
    cell: Cell, strict_product: Product, send: Send
) -> None:
    first = send(1)
    run = ingest(cell, strict_product, once=True)
    copy = send(1)
    waiting = send(2)
    ingest(cell, strict_product, once=True)
    found = trace_event(cell, strict_product, "reading-1")
    assert found.answer is Answer.ROW
    assert states(found) == [
        State.RAW,
        State.ENRICHED,
        State.VALIDATED,
        State.SINK_COMMITTED,
        State.ARCHIVED,
    ]
    (row,) = found.facts.rows
    told = row_of(cell, strict_product, "reading-1")
    assert (row.place.partition, row.place.offset) == (told["_topic_partition"], first)
    assert (row.run_id, row.ingested_at) == (told["_run_id"], told["_ingested_at"])
    assert (row.headers.producer, row.headers.job_id) == ("gateway", "job-17")
    assert row.headers.traceparent == TRACEPARENT
    assert row.commit is not None
    snapshots = load_table(cell, events_table(strict_product.name)).metadata.snapshots
    assert row.commit.snapshot_id == snapshots[0].snapshot_id
    assert row.commit.contract_version == strict_product.version
    assert run.rows == 1
    (one,) = found.facts.search.copies
    assert (one.place.offset, one.match, one.headers) == (copy, Match.DECODED, row.headers)
    assert one.commit is not None
    assert one.commit.snapshot_id == snapshots[1].snapshot_id
    (look,) = found.facts.search.looks
    assert (look.start, look.end, look.seen) == (copy, waiting + 1, Seen.READ)
    unasked = trace_event(cell, strict_product, "reading-1", NOTHING).facts.search
    assert (unasked.copies, [one.seen for one in unasked.looks]) == ((), [Seen.LEFT])
    bounded = trace_event(cell, strict_product, "reading-1", Limits(1, None)).facts.search
    assert [(one.start, one.end, one.seen) for one in bounded.looks] == [
        (waiting, waiting + 1, Seen.LEFT),
        (copy, waiting, Seen.READ),
    ]


def test_a_dead_letter_is_replayed_and_traced_from_both_ends(
    cell: Cell, strict_product: Product, send: Send
) -> None:
    first = send(1, at=LATE)
    ingest(cell, strict_product, once=True)
    found = trace_event(cell, strict_product, "reading-1")
    assert (found.answer, states(found)) == (
        Answer.DEAD_LETTER,
        [State.RAW, State.ENRICHED, State.DEAD_LETTER],
    )
    (letter,) = found.facts.letters
    (told,) = (
        load_table(cell, dead_letters_table(strict_product.name)).scan().to_arrow().to_pylist()
    )
    assert (letter.place.offset, letter.reason, letter.match) == (
        told["_offset"],
        "stale",
        Match.DECODED,
    )
    assert letter.commit is not None
    assert letter.commit.entry.dead_letters == 1
    done = replay(cell, strict_product, ALL, by="ann", reason="the network was slow")
    assert trace_event(cell, strict_product, "reading-1").answer is Answer.REPLAY
    ingest(cell, strict_product, once=True)
    found = trace_event(cell, strict_product, "reading-1")
    assert (found.answer, states(found)) == (
        Answer.LATE,
        [
            State.RAW,
            State.ENRICHED,
            State.DEAD_LETTER,
            State.REPLAY,
            State.RAW,
            State.REPLAY,
            State.ENRICHED,
            State.VALIDATED,
            State.SINK_COMMITTED,
            State.ARCHIVED,
        ],
    )
    (row,), (letter,) = found.facts.rows, found.facts.letters
    assert row.replay_id == done.action_id
    assert row.origin == letter.place
    assert letter.place.offset == first
    assert letter.steps[-1].offset == row.place.offset
    assert {one.by for one in found.facts.actions} == {"ann"}


def test_what_waits_what_is_set_aside_and_what_is_discarded_are_told_apart(
    cell: Cell, strict_product: Product, send: Send
) -> None:
    send(1)
    ingest(cell, strict_product, once=True)
    place = send(2)
    found = trace_event(cell, strict_product, "reading-2")
    assert (found.answer, states(found)) == (Answer.WAITING, [State.RAW])
    assert found.facts.search.copies[0].place.offset == place
    partition = found.facts.search.copies[0].place.partition
    quarantine(cell, strict_product, partition, place, place + 1, reason="why", by="ann")
    ingest(cell, strict_product, once=True)
    assert trace_event(cell, strict_product, "reading-2").answer is Answer.QUARANTINED
    discard(cell, strict_product, ALL, by="ann", reason="nobody wants it")
    found = trace_event(cell, strict_product, "reading-2")
    assert (found.answer, states(found)[-1]) == (Answer.DISCARDED, State.DISCARDED)
    assert trace_event(cell, strict_product, "reading-3").answer is Answer.UNKNOWN


def test_a_uuid_of_coordinates_is_found_by_computing_it(cell: Cell, tmp_path: Path) -> None:
    orders = own_product("json_orders", tmp_path / "json")
    path = orders.folder / "contract.yaml"
    path.write_text(path.read_text().replace("      uuid: order_id\n", ""))
    orders = load_product(orders.folder)
    ensure_topic(cell, orders)
    order = {"customer_id": "c", "order_id": "o", "country": "DE", "items": [], "amount": "ten"}
    with EventWriter(cell, orders, open_registry(cell)) as writer:
        writer.send_raw(b"c", json.dumps(order | {"placed_at": "2026"}).encode(), NOW)
    assert ingest(cell, orders, once=True).dead_letters == 1
    committed = committed_offsets(load_table(cell, events_table(orders.name)))
    assert committed is not None
    (told,) = load_table(cell, dead_letters_table(orders.name)).scan().to_arrow().to_pylist()
    name = f"{orders.topic.name}/{told['_topic_partition']}/{told['_offset']}"
    uuid = str(uuid5(NAMESPACE_URL, f"{committed.cluster_id}/{name}"))
    found = trace_event(cell, orders, uuid)
    assert (found.answer, found.facts.letters[0].match) == (
        Answer.DEAD_LETTER,
        Match.COORDINATES,
    )
    assert trace_event(cell, orders, uuid.replace("-5", "-4", 1)).answer is Answer.UNKNOWN


def test_the_command_tells_it_without_values_and_its_code_says_whether_it_is_known(
    cell: Cell, strict_product: Product, send: Send
) -> None:
    send(1, note="secret words")
    ingest(cell, strict_product, once=True)
    command = command_for(cell, strict_product)
    found = command.run("trace", "reading-1", "--cell", cell.name)
    assert found.code == 0, found.err
    assert "it is a row of events, since snapshot" in found.out
    assert "producer gateway, job_id job-17" in found.out
    (told,) = command.run("trace", "reading-1", "--product", strict_product.name, "--json").json
    assert [one["state"] for one in told["states"]][-1] == "Archived"
    assert (told["answer"], told["rows"][0]["uuid"]) == ("row", "reading-1")
    assert "secret" not in found.out + json.dumps(told)
    unknown = command.run("trace", "reading-9", "--cell", cell.name)
    assert (unknown.code, "no row, no dead letter" in unknown.out) == (ExitCode.CHECK_FAILED, True)


def test_a_cell_whose_kafka_is_away_still_tells_what_its_tables_say(
    cell: Cell, strict_product: Product, send: Send
) -> None:
    send(1)
    send(1)
    ingest(cell, strict_product, once=True)
    away = replace(cell, bootstrap_servers="127.0.0.1:9")
    found = trace_event(away, strict_product, "reading-1", EVERYTHING)
    assert (found.answer, found.facts.search.copies) == (Answer.ROW, ())
    assert "nothing listens" in found.facts.search.trouble
    assert [one.seen for one in found.facts.search.looks] == [Seen.LEFT]
