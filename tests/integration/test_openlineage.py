"""Lineage sent to a real Kafka, and what waits while there is none."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from typing import Any

import pytest
from confluent_kafka import Consumer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from openlineage.client.event_v2 import Job, Run, RunEvent, RunState

from pipeline.cells import Cell
from pipeline.clock import utc_now
from pipeline.lineage.emitter import Emitter
from pipeline.lineage.errors import CollectorRefusedError, CollectorUnavailableError
from pipeline.lineage.queue.background import settle
from pipeline.lineage.queue.drain import drain
from pipeline.lineage.queue.status import queue_status

STATES = ("START", "RUNNING", "COMPLETE")


@pytest.fixture
def topic(cell: Cell) -> str:
    name = f"lineage-{uuid.uuid4().hex[:8]}"
    admin = AdminClient({"bootstrap.servers": cell.bootstrap_servers})
    (made,) = admin.create_topics([NewTopic(name, 3, 1)]).values()
    made.result()
    return name


def sending(cell: Cell, **settings: Any) -> Cell:
    return replace(cell, openlineage={"transport": "kafka", "timeout_s": 2, **settings})


def emit(cell: Cell, runs: int = 3) -> None:
    for state in STATES:
        for run in range(runs):
            event = RunEvent(
                eventTime=utc_now().isoformat(),
                producer="urn:headwater",
                eventType=RunState(state),
                run=Run(runId=str(uuid.UUID(int=run))),
                job=Job(namespace="us", name=f"orders.{run}"),
            )
            Emitter(cell, f"run {run}").emit(event)


def received(cell: Cell, topic: str, count: int) -> list[tuple[str, dict[str, Any]]]:
    consumer = Consumer(
        {
            "bootstrap.servers": cell.bootstrap_servers,
            "group.id": topic,
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe([topic])
    try:
        found = [one for _ in range(count) if (one := consumer.poll(20)) is not None]
    finally:
        consumer.close()
    return [((one.key() or b"").decode(), json.loads(one.value() or b"")) for one in found]


def test_each_runs_events_are_in_one_partition_in_their_order(cell: Cell, topic: str) -> None:
    emit(sending(cell, topic=topic))
    assert settle(20)
    told = received(cell, topic, 9)
    for run in range(3):
        own = [(key, one) for key, one in told if one["job"]["name"] == f"orders.{run}"]
        assert [one["eventType"] for _, one in own] == list(STATES)
        assert {key for key, _ in own} == {f"run:us/orders.{run}"}


def test_events_wait_for_a_cluster_that_is_away_and_for_a_topic(cell: Cell, topic: str) -> None:
    away = sending(cell, topic=topic, **{"kafka.bootstrap.servers": "127.0.0.1:9"})
    emit(away, runs=1)
    assert settle(20)
    assert isinstance(drain(away).error, CollectorUnavailableError)
    elsewhere = drain(sending(cell, topic=f"{topic}-not-there"))
    assert isinstance(elsewhere.error, CollectorRefusedError | CollectorUnavailableError)
    assert queue_status(away).events == 3
    assert drain(sending(cell, topic=topic)).sent == 3
    told = received(cell, topic, 3)
    assert [one["eventType"] for _, one in told] == list(STATES)
