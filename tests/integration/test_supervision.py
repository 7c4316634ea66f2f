"""What supervisors of an ingest see of it: its topic, its lock, its heartbeat."""

from __future__ import annotations

import os

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.ingest.read.awaited import awaits_topic
from pipeline.ingest.run import ingest
from pipeline.kafka.connect import connect_admin
from pipeline.supervision.heartbeat import heartbeat_file, read_heartbeat
from tests.support.load import TopicWriter


def test_a_topic_is_waited_for_that_was_never_there(cell: Cell, strict_product: Product) -> None:
    assert awaits_topic(cell, strict_product) == (
        f"Topic {strict_product.topic.name} does not exist yet."
    )
    TopicWriter(cell, strict_product).fill(10)
    assert awaits_topic(cell, strict_product) is None
    report = ingest(cell, strict_product, once=True, run_id="run-1")

    beat = read_heartbeat(heartbeat_file(cell, strict_product.name))
    assert beat is not None
    assert (beat.run_id, beat.pid, beat.waits) == ("run-1", os.getpid(), None)
    assert report.commits >= 1

    with connect_admin(cell) as admin:
        admin.delete_topics([strict_product.topic.name])
    assert awaits_topic(cell, strict_product) is None, "lost, and not waited for: ingest says so"
