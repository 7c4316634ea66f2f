"""Fetching ranges: every committed record in them, nothing else, and how far each was passed."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition

from pipeline.cells import Cell
from pipeline.kafka.connect import connect_admin, connect_producer
from pipeline.kafka.fetch import STALL_S, Fetched, FetchStalledError, OffsetsLostError, fetch
from pipeline.kafka.identity import TopicIdentity
from pipeline.kafka.network import Network
from pipeline.kafka.record_batches import Gap
from pipeline.kafka.records import RawRecord, records_in
from pipeline.kafka.topics import describe_topic, earliest_offsets, stable_offsets

MIB = 1024 * 1024
NOWHERE = TopicIdentity("cluster", "any", str(uuid.UUID(int=1)), (0,))


@pytest.fixture
def network(cell: Cell) -> Iterator[Network]:
    with Network(cell) as opened:
        yield opened


@pytest.fixture
def producer(cell: Cell) -> Iterator[KafkaProducer]:
    with connect_producer(cell) as client:
        yield client


@pytest.fixture
def transactional(cell: Cell) -> Iterator[KafkaProducer]:
    with connect_producer(cell, transactional_id=uuid.uuid4().hex) as client:
        client.init_transactions()
        yield client


@pytest.fixture
def admin(cell: Cell) -> Iterator[KafkaAdminClient]:
    with connect_admin(cell) as client:
        yield client


@pytest.fixture
def make_topic(admin: KafkaAdminClient) -> Callable[..., str]:
    def make(partitions: int = 1, **config: str) -> str:
        name = f"fetch-{uuid.uuid4().hex[:8]}"
        configs = {key.replace("_", "."): value for key, value in config.items()}
        admin.create_topics(
            {name: {"num_partitions": partitions, "replication_factor": 1, "configs": configs}},
            wait_for_metadata=True,
        )
        return name

    return make


@dataclass
class Read:
    offsets: dict[int, list[int]] = field(default_factory=dict)
    values: list[bytes | None] = field(default_factory=list)
    positions: dict[int, int] = field(default_factory=dict)
    records: list[RawRecord] = field(default_factory=list)
    gaps: dict[str, int] = field(default_factory=dict)


class Reader:
    """Reads ranges whole, as records."""

    def __init__(self, network: Network, admin: KafkaAdminClient) -> None:
        self.network = network
        self._admin = admin

    def look(self, topic: str) -> TopicIdentity:
        return describe_topic(self._admin, topic)

    def __call__(self, topic: str, ranges: dict[int, tuple[int, int]]) -> Read:
        found = Read()
        for fetched in fetch(self.network, self.look(topic), ranges):
            found.positions = dict(fetched.positions)
            for item in (item for part in fetched.ranges for item in part.items):
                if isinstance(item, Gap):
                    name = item.kind.value
                    found.gaps[name] = found.gaps.get(name, 0) + item.high - item.low
                    continue
                records = records_in([item])
                for record in (records.record(i) for i in range(len(records))):
                    found.offsets.setdefault(record.partition, []).append(record.offset)
                    found.values.append(record.value)
                    found.records.append(record)
        return found


@pytest.fixture
def read(network: Network, admin: KafkaAdminClient) -> Reader:
    return Reader(network, admin)


def send(producer: KafkaProducer, topic: str, count: int, partition: int = 0) -> None:
    for number in range(count):
        producer.send(topic, f"{number}".encode(), partition=partition)
    producer.flush(15)


def test_exactly_the_records_of_each_range_are_given(
    read: Reader, producer: KafkaProducer, make_topic: Callable[..., str]
) -> None:
    topic = make_topic(3)
    for partition in range(3):
        send(producer, topic, 100, partition)
    found = read(topic, {0: (10, 20), 1: (0, 100), 2: (5, 5)})
    assert found.offsets == {0: list(range(10, 20)), 1: list(range(100))}
    assert found.positions == {0: 20, 1: 100, 2: 5}


def test_ranges_that_follow_each_other_miss_nothing_and_double_nothing(
    read: Reader, producer: KafkaProducer, make_topic: Callable[..., str]
) -> None:
    topic = make_topic(2)
    send(producer, topic, 1000, 0)
    send(producer, topic, 1000, 1)
    offsets: dict[int, list[int]] = {0: [], 1: []}
    for start in range(0, 1000, 7):
        end = min(start + 7, 1000)
        # Partitions come and go between fetches, as their backlogs do.
        ranges = {0: (start, end), 1: (start, end)} if start % 2 else {0: (start, end)}
        found = read(topic, ranges)
        for partition, got in found.offsets.items():
            offsets[partition].extend(got)
    assert offsets[0] == list(range(1000))
    assert offsets[1] == [o for s in range(7, 1000, 14) for o in range(s, min(s + 7, 1000))]


def test_the_same_range_can_be_read_again(
    read: Reader, producer: KafkaProducer, make_topic: Callable[..., str]
) -> None:
    topic = make_topic()
    send(producer, topic, 50)
    assert read(topic, {0: (0, 50)}).values == read(topic, {0: (0, 50)}).values


def test_keys_headers_times_and_tombstones_arrive_as_they_were_sent(
    read: Reader, producer: KafkaProducer, make_topic: Callable[..., str]
) -> None:
    topic = make_topic()
    producer.send(topic, b"v", b"k", [("a", b"1"), ("a", b"2")], 0, 1_700_000_000_123).get(10)
    producer.send(topic, None, b"k", partition=0).get(10)
    first, second = read(topic, {0: (0, 2)}).records
    assert (first.key, first.value, first.record_time) == (b"k", b"v", 1_700_000_000_123_000)
    assert list(first.headers) == [("a", b"1"), ("a", b"2")]
    assert (second.key, second.value) == (b"k", None)


def test_log_append_time_is_the_brokers_own(
    read: Reader, producer: KafkaProducer, make_topic: Callable[..., str]
) -> None:
    topic = make_topic(message_timestamp_type="LogAppendTime")
    producer.send(topic, b"v", partition=0, timestamp_ms=1).get(10)
    (record,) = read(topic, {0: (0, 1)}).records
    assert abs(record.record_time / 1e6 - time.time()) < 30


def test_transaction_markers_are_passed_and_not_given(
    read: Reader, transactional: KafkaProducer, make_topic: Callable[..., str]
) -> None:
    topic = make_topic()
    for value in (b"one", b"two"):
        transactional.begin_transaction()
        transactional.send(topic, value, partition=0)
        transactional.commit_transaction()
    found = read(topic, {0: (0, 4)})
    assert found.offsets == {0: [0, 2]}
    assert found.gaps == {"control": 2}
    assert found.positions == {0: 4}


def test_aborted_records_are_passed_and_not_given(
    read: Reader,
    producer: KafkaProducer,
    transactional: KafkaProducer,
    make_topic: Callable[..., str],
) -> None:
    topic = make_topic()
    producer.send(topic, b"first", partition=0).get(10)
    transactional.begin_transaction()
    transactional.send(topic, b"never", partition=0).get(10)
    producer.send(topic, b"between", partition=0).get(10)
    transactional.send(topic, b"never", partition=0).get(10)
    transactional.abort_transaction()
    producer.send(topic, b"last", partition=0).get(10)
    found = read(topic, {0: (0, 6)})
    assert found.values == [b"first", b"between", b"last"]
    assert found.gaps == {"aborted": 2, "control": 1}
    assert found.offsets == {0: [0, 2, 5]}
    assert read(topic, {0: (2, 5)}).offsets == {0: [2]}


def test_a_range_of_nothing_but_an_aborted_transaction_is_passed(
    read: Reader, transactional: KafkaProducer, make_topic: Callable[..., str]
) -> None:
    topic = make_topic()
    transactional.begin_transaction()
    transactional.send(topic, b"never", partition=0).get(10)
    transactional.abort_transaction()
    found = read(topic, {0: (0, 2)})
    assert (found.records, found.positions) == ([], {0: 2})
    assert found.gaps == {"aborted": 1, "control": 1}


def test_an_open_transaction_is_waited_for_and_never_passed(
    read: Reader,
    producer: KafkaProducer,
    transactional: KafkaProducer,
    make_topic: Callable[..., str],
) -> None:
    topic = make_topic()
    producer.send(topic, b"before", partition=0).get(10)
    transactional.begin_transaction()
    transactional.send(topic, b"open", partition=0).get(10)
    given: list[Fetched] = []
    with pytest.raises(FetchStalledError, match="partition 0 at 1 of 2"):
        given.extend(fetch(read.network, read.look(topic), {0: (0, 2)}, stall_s=1))
    assert given[-1].positions == {0: 1}
    transactional.commit_transaction()
    assert read(topic, {0: (1, 2)}).values == [b"open"]


def test_offsets_that_were_deleted_are_an_error_and_never_skipped(
    read: Reader,
    producer: KafkaProducer,
    admin: KafkaAdminClient,
    make_topic: Callable[..., str],
) -> None:
    topic = make_topic()
    send(producer, topic, 10)
    admin.delete_records({TopicPartition(topic, 0): 6})
    with pytest.raises(OffsetsLostError, match="accept-loss"):
        read(topic, {0: (0, 10)})
    assert read(topic, {0: (6, 10)}).offsets == {0: [6, 7, 8, 9]}
    assert earliest_offsets(admin, topic, [0]) == {0: 6}


def test_a_record_of_8_mib_is_fetched(
    read: Reader, producer: KafkaProducer, make_topic: Callable[..., str]
) -> None:
    topic = make_topic(max_message_bytes=str(9 * MIB))
    # Random, so that it is as large on the wire.
    large = os.urandom(8 * MIB)
    for value in (b"before", large, b"after"):
        producer.send(topic, value, partition=0).get(20)
    assert read(topic, {0: (0, 3)}).values == [b"before", large, b"after"]


def test_offsets_that_compaction_removed_are_passed(
    read: Reader,
    producer: KafkaProducer,
    admin: KafkaAdminClient,
    make_topic: Callable[..., str],
) -> None:
    topic = make_topic(
        cleanup_policy="compact",
        min_cleanable_dirty_ratio="0.0",
        max_compaction_lag_ms="1",
        segment_ms="1",
    )
    for number in range(20):
        producer.send(topic, f"{number}".encode(), b"same", partition=0).get(10)
    deadline = time.monotonic() + 60
    found = read(topic, {0: (0, 20)})
    while len(found.records) > 10:
        assert time.monotonic() < deadline
        time.sleep(0.5)
        found = read(topic, {0: (0, 20)})
    assert found.positions == {0: 20}
    assert found.values[-1] == b"19"
    assert stable_offsets(admin, topic, [0]) == {0: 20}


def test_the_caller_gets_a_word_while_nothing_arrives(
    read: Reader, make_topic: Callable[..., str], admin: KafkaAdminClient
) -> None:
    topic = make_topic()
    began = time.monotonic()
    fetched = next(iter(fetch(read.network, read.look(topic), {0: (0, 1)})))
    assert time.monotonic() - began < STALL_S
    # A broker that takes its time answers with a range of nothing.
    assert not any(one.items for one in fetched.ranges)
    assert fetched.positions == {0: 0}
    assert describe_topic(admin, topic).partitions == (0,)


def test_a_range_that_ends_before_it_starts_is_refused(read: Reader) -> None:
    with pytest.raises(ValueError, match=r"3\.\.2 is not a range"):
        next(iter(fetch(read.network, NOWHERE, {0: (3, 2)})))
