"""What Kafka may do to an ingest: transactions, recreated topics, retention, absence."""

from __future__ import annotations

import time

import pytest
from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.errors import ExitCode
from pipeline.ingest.offset_checks import (
    OffsetsAheadError,
    RetentionPassedError,
    TopicRecreatedError,
)
from pipeline.ingest.run import ingest, plan_ingest
from pipeline.kafka.connect import connect_admin
from pipeline.kafka.topics import TopicMissingError, describe_topic
from pipeline.ledger.model import Entry, ledger_summary
from pipeline.ledger.read import read_ledger
from pipeline.ledger.verify import verify_ledger
from pipeline.tables.catalog import load_table
from pipeline.tables.commit import OffsetCommit, commit
from pipeline.tables.layout import events_table
from pipeline.tables.offsets import committed_offsets
from tests.support.commands import command_for
from tests.support.judge import judge
from tests.support.load import TopicWriter


@pytest.fixture
def writer(cell: Cell, strict_product: Product) -> TopicWriter:
    return TopicWriter(cell, strict_product)


@pytest.fixture
def admin(cell: Cell) -> AdminClient:
    return AdminClient({"bootstrap.servers": cell.bootstrap_servers})


def assert_exactly_once(cell: Cell, product: Product) -> None:
    findings = judge(cell, product)
    assert findings.exact, findings
    verification = verify_ledger(cell, product)
    assert verification.balanced, verification.problems


def test_records_of_an_open_transaction_are_waited_for(
    cell: Cell, strict_product: Product, writer: TopicWriter
) -> None:
    writer.send(writer.events(40))
    with writer.open_transaction(writer.events(12)) as transaction:
        report = ingest(cell, strict_product, once=True)
        assert (report.rows, report.gaps) == (40, 0)
        assert_exactly_once(cell, strict_product)
        transaction.commit_transaction(30)
    report = ingest(cell, strict_product, once=True)
    markers = strict_product.topic.partitions
    assert (report.rows, report.gaps) == (12, markers)
    assert_exactly_once(cell, strict_product)


def test_records_behind_an_open_transaction_are_not_passed_over(
    cell: Cell, strict_product: Product, writer: TopicWriter
) -> None:
    with writer.open_transaction(writer.events(8)) as transaction:
        writer.send(writer.events(40))
        assert ingest(cell, strict_product, once=True).rows == 0
        transaction.commit_transaction(30)
    assert ingest(cell, strict_product, once=True).rows == 48
    assert_exactly_once(cell, strict_product)


def test_an_aborted_transaction_is_gaps(
    cell: Cell, strict_product: Product, writer: TopicWriter
) -> None:
    writer.send(writer.events(40))
    writer.abort(writer.events(12))
    report = ingest(cell, strict_product, once=True)
    markers = strict_product.topic.partitions
    assert (report.rows, report.gaps) == (40, 12 + markers)
    assert_exactly_once(cell, strict_product)


def test_a_recreated_topic_is_refused(
    cell: Cell, strict_product: Product, writer: TopicWriter, admin: AdminClient
) -> None:
    topic = strict_product.topic.name
    writer.send(writer.events(10))
    ingest(cell, strict_product, once=True)
    old = topic_id(cell, topic)
    delete(admin, cell, topic)
    again = TopicWriter(cell, strict_product, seed=2)
    again.send(again.events(40))
    new = topic_id(cell, topic)
    with pytest.raises(TopicRecreatedError) as refusal:
        ingest(cell, strict_product, once=True)
    assert old in str(refusal.value)
    assert new in str(refusal.value)


def test_a_missing_topic_is_named(cell: Cell, strict_product: Product) -> None:
    with pytest.raises(TopicMissingError, match=strict_product.topic.name):
        ingest(cell, strict_product, once=True)


def test_an_empty_topic_is_caught_up_with_at_once(
    cell: Cell, strict_product: Product, writer: TopicWriter
) -> None:
    report = ingest(cell, strict_product, once=True)
    assert (report.offsets, report.lag) == (0, 0)
    ledger = read_ledger(cell, strict_product)
    assert ledger.balanced
    assert ledger.offsets is not None
    assert set(ledger.offsets.next.values()) == {0}
    writer.send(writer.events(5))
    assert ingest(cell, strict_product, once=True).rows == 5


def test_an_end_before_the_committed_offset_is_refused(
    cell: Cell, strict_product: Product, writer: TopicWriter
) -> None:
    writer.send(writer.events(8))
    ingest(cell, strict_product, once=True)
    # As after an unclean election: the partition is shorter than what was read of it.
    events = load_table(cell, events_table(strict_product.name))
    offsets = committed_offsets(events)
    assert offsets is not None
    end = offsets.next[0]
    with connect_admin(cell) as client:
        identity = describe_topic(client, strict_product.topic.name)
    ahead = {**offsets.next, 0: end + 5}
    entry = Entry(0, end, end + 5, control=5)
    commit(events, (), OffsetCommit(identity, offsets.first, ahead, ledger_summary((entry,))))
    with pytest.raises(OffsetsAheadError, match=str(end + 5)):
        ingest(cell, strict_product, once=True)


def test_retention_that_passed_is_refused_until_the_loss_is_accepted(
    cell: Cell, strict_product: Product, writer: TopicWriter, admin: AdminClient
) -> None:
    partitions = strict_product.topic.partitions
    writer.send(writer.events(10 * partitions))
    ingest(cell, strict_product, once=True)
    writer.send(writer.events(20 * partitions))
    delete_before(admin, strict_product.topic.name, partition=0, offset=17)
    with pytest.raises(RetentionPassedError) as refusal:
        ingest(cell, strict_product, once=True)
    assert "10..17" in str(refusal.value)

    command = command_for(cell, strict_product)
    accept = (
        *("ingest", "accept-loss", strict_product.name, "--cell", cell.name),
        *("--topic", strict_product.topic.name, "--partition", "0", "--reason", "a test"),
    )
    too_much = command.run(*accept, "--offsets", "10..18")
    assert too_much.code == ExitCode.TERMINAL
    assert "10..17" in too_much.err
    accepted = command.run(*accept, "--offsets", "10..17")
    assert accepted.code == ExitCode.OK, accepted.err

    report = ingest(cell, strict_product, once=True)
    assert report.rows == 20 * partitions - 7
    ledger = read_ledger(cell, strict_product)
    assert ledger.balanced, ledger.problems
    assert ledger.totals.lost == 7
    assert verify_ledger(cell, strict_product).balanced
    reasons = [
        snapshot.summary["headwater.loss-reason"]
        for snapshot in load_table(cell, events_table(strict_product.name)).metadata.snapshots
        if snapshot.summary and "headwater.loss-reason" in snapshot.summary.additional_properties
    ]
    assert reasons == ["a test"]


def test_records_that_were_deleted_before_the_first_ingest_were_never_in_scope(
    cell: Cell, strict_product: Product, writer: TopicWriter, admin: AdminClient
) -> None:
    writer.send(writer.events(10 * strict_product.topic.partitions))
    delete_before(admin, strict_product.topic.name, partition=0, offset=4)
    report = ingest(cell, strict_product, once=True)
    assert report.rows == 10 * strict_product.topic.partitions - 4
    assert_exactly_once(cell, strict_product)


def test_explain_commits_nothing(cell: Cell, strict_product: Product, writer: TopicWriter) -> None:
    writer.send(writer.events(10))
    plan = plan_ingest(cell, strict_product)
    assert sum(len(r) for r in plan.ranges) == 10
    assert load_table(cell, events_table(strict_product.name)).metadata.snapshots == []
    assert ingest(cell, strict_product, once=True).rows == 10


def topic_id(cell: Cell, topic: str) -> str:
    with connect_admin(cell) as client:
        return describe_topic(client, topic).topic_id


def delete(admin: AdminClient, cell: Cell, topic: str) -> None:
    admin.delete_topics([topic])[topic].result(30)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            topic_id(cell, topic)
        except TopicMissingError:
            return
        time.sleep(0.1)
    raise AssertionError(f"{topic} is still there")


def delete_before(admin: AdminClient, topic: str, *, partition: int, offset: int) -> None:
    where = TopicPartition(topic, partition, offset)
    (future,) = admin.delete_records([where]).values()
    try:
        assert future.result(30).low_watermark == offset
    except KafkaException as error:
        raise AssertionError(str(error)) from error
