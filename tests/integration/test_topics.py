"""Topics as the broker tells of them: identity, the several kinds of end, making them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaProducer

from pipeline.cells import Cell
from pipeline.contract.model import Product, Retention, Topic
from pipeline.kafka.connect import connect_admin, connect_producer
from pipeline.kafka.errors import BrokerUnavailableError, KafkaSettingError
from pipeline.kafka.topics import (
    TopicMissingError,
    describe_topic,
    earliest_offsets,
    high_watermarks,
    is_compacted,
    offsets_at,
    stable_offsets,
)
from pipeline.produce.topic import DriftKind, ensure_topic, topic_drift

T0 = datetime(2026, 1, 5, 10, tzinfo=UTC)


@pytest.fixture
def admin(cell: Cell) -> Iterator[KafkaAdminClient]:
    with connect_admin(cell) as client:
        yield client


@pytest.fixture
def transactional(cell: Cell) -> Iterator[KafkaProducer]:
    with connect_producer(cell, transactional_id=uuid.uuid4().hex) as producer:
        producer.init_transactions()
        yield producer


def product(**topic: object) -> Product:
    fields = {"name": f"topics-{uuid.uuid4().hex[:8]}", "partitions": 2, "replication": 1} | topic
    return Product(
        name="orders",
        version="1.0.0",
        owner="a team",
        domain="shop",
        description="Orders.",
        cells=("us",),
        topic=Topic.model_validate({"retention": Retention(hot_ms=-1), **fields}),
        key="id",
        event_time="at",
        envelope_schema=None,
        payload_schemas=({"type": "record", "name": "Order", "fields": []},),
        folder=Path("orders"),
    )


def test_a_missing_topic_is_named_and_says_what_to_do(admin: KafkaAdminClient) -> None:
    with pytest.raises(TopicMissingError, match=r"never-made: no such topic.*headwater produce"):
        describe_topic(admin, "never-made")
    with pytest.raises(TopicMissingError):
        stable_offsets(admin, "never-made", [0])
    with pytest.raises(TopicMissingError):
        is_compacted(admin, "never-made")


def test_a_broker_that_is_down_is_told_within_15_s(cell: Cell, tmp_path: Path) -> None:
    nowhere = Cell("us", tmp_path, "127.0.0.1:1", "", "")
    began = time.monotonic()
    with pytest.raises(BrokerUnavailableError, match=r"127\.0\.0\.1:1: .*headwater status"):
        connect_admin(nowhere)
    assert time.monotonic() - began < 15


def test_a_setting_that_no_client_knows_is_named(cell: Cell, tmp_path: Path) -> None:
    wrong = Cell("us", tmp_path, cell.bootstrap_servers, "", "", {"sasl.mechanismus": "PLAIN"})
    with pytest.raises(KafkaSettingError, match=r"sasl\.mechanismus"):
        connect_admin(wrong)


def test_ensuring_a_topic_twice_makes_it_once(cell: Cell, admin: KafkaAdminClient) -> None:
    wanted = product()
    made = ensure_topic(cell, wanted)
    assert ensure_topic(cell, wanted) == made
    assert made == describe_topic(admin, wanted.topic.name)
    assert made.partitions == (0, 1)
    assert made.topic == wanted.topic.name
    assert topic_drift(cell, wanted) == ()


def test_replication_is_capped_at_the_brokers_there_are_and_said(
    cell: Cell, caplog: pytest.LogCaptureFixture
) -> None:
    wanted = product(replication=3)
    assert ensure_topic(cell, wanted).partitions == (0, 1)
    assert "replication is 1, not 3" in caplog.text
    assert topic_drift(cell, wanted) == ()


def test_a_topic_that_differs_from_its_contract_is_reported_and_left_as_it_is(
    cell: Cell, caplog: pytest.LogCaptureFixture
) -> None:
    wanted = product()
    before = ensure_topic(cell, wanted)
    altered = wanted.topic.model_copy(
        update={"partitions": 5, "record_time": "LogAppendTime", "history": False}
    )
    changed = wanted.model_copy(update={"topic": altered})
    assert ensure_topic(cell, changed) == before
    drift = topic_drift(cell, changed)
    assert {d.kind for d in drift} == {DriftKind.PARTITIONS, DriftKind.CONFIG}
    assert "partitions is 2, and the contract says 5" in caplog.text
    assert "message.timestamp.type is CreateTime" in caplog.text


def test_a_topic_made_again_has_another_identity(cell: Cell, admin: KafkaAdminClient) -> None:
    wanted = product()
    first = ensure_topic(cell, wanted)
    admin.delete_topics([wanted.topic.name])
    _until(lambda: _is_missing(admin, wanted.topic.name))
    second = ensure_topic(cell, wanted)
    assert second.topic_id != first.topic_id
    assert second.cluster_id == first.cluster_id


def test_an_open_transaction_holds_the_stable_offset_below_the_high_watermark(
    cell: Cell, admin: KafkaAdminClient, transactional: KafkaProducer
) -> None:
    topic = ensure_topic(cell, product()).topic
    with connect_producer(cell) as plain:
        plain.send(topic, b"before", partition=0).get(10)
        transactional.begin_transaction()
        transactional.send(topic, b"open", partition=0).get(10)
        plain.send(topic, b"after", partition=0).get(10)
    assert stable_offsets(admin, topic, [0, 1]) == {0: 1, 1: 0}
    assert high_watermarks(admin, topic, [0, 1]) == {0: 3, 1: 0}
    transactional.commit_transaction()
    _until(lambda: stable_offsets(admin, topic, [0]) == {0: 4})


def test_a_time_is_turned_into_the_first_offset_from_then_on(
    cell: Cell, admin: KafkaAdminClient
) -> None:
    topic = ensure_topic(cell, product()).topic
    with connect_producer(cell) as producer:
        for hour in range(4):
            at = int((T0 + timedelta(hours=hour)).timestamp() * 1000)
            producer.send(topic, b"x", partition=0, timestamp_ms=at).get(10)
    assert offsets_at(admin, topic, [0, 1], T0 + timedelta(hours=2)) == {0: 2, 1: 0}
    assert offsets_at(admin, topic, [0], T0 + timedelta(hours=9)) == {0: 4}
    assert earliest_offsets(admin, topic, [0]) == {0: 0}


def _is_missing(admin: KafkaAdminClient, topic: str) -> bool:
    try:
        describe_topic(admin, topic)
    except TopicMissingError:
        return True
    return False


def _until(holds: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)
