"""What supervisors of an ingest see of it: its topic, its lock, its heartbeat."""

from __future__ import annotations

import os
import signal
from dataclasses import replace

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.errors import ExitCode
from pipeline.ingest.read.awaited import awaits_topic
from pipeline.ingest.run import ingest
from pipeline.kafka.connect import connect_admin
from pipeline.supervision.heartbeat import heartbeat_file, read_heartbeat
from pipeline.supervision.locks import hold_lock, ingest_lock, lock_holder
from quality.health import IngestState
from quality.measure_health import measure_health
from tests.support.commands import command_for
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


def test_an_ingest_by_hand_has_the_lock_or_says_who_has_it(
    cell: Cell, strict_product: Product
) -> None:
    TopicWriter(cell, strict_product).fill(10)
    command = command_for(cell, strict_product)
    line = ("ingest", "run", strict_product.name, "--cell", cell.name)
    lock = ingest_lock(cell, strict_product.name)
    with hold_lock(lock, "run-1"):
        refused = command.run(*line, "--once")
    assert refused.code == ExitCode.RETRYABLE
    assert "held by run-1" in refused.err
    running = command.start(*line)
    running.wait_for(lambda: beat_of(cell, strict_product) == running.process.pid)
    assert lock_holder(lock) == f"headwater ingest run, pid {running.process.pid}"
    assert running.end(signal.SIGTERM, within_s=15).code == ExitCode.TERMINATED
    assert lock_holder(lock) is None


def test_a_product_is_not_well_while_records_wait_and_nobody_ingests(
    cell: Cell, strict_product: Product
) -> None:
    before = measure_health(cell, strict_product)
    assert (before.ingest, before.healthy) == (IngestState.AWAITING_TOPIC, True)

    TopicWriter(cell, strict_product).fill(10)
    alone = measure_health(cell, strict_product)
    assert (alone.ingest, alone.waiting, alone.healthy) == (IngestState.ABSENT, 10, False)
    assert alone.problems[0] == "nobody ingests, and 10 records wait"

    with hold_lock(ingest_lock(cell, strict_product.name), "run-1"):
        ingest(cell, strict_product, once=True)
        well = measure_health(cell, strict_product)
    assert (well.ingest, well.owner, well.waiting) == (IngestState.WORKING, "run-1", 0)
    assert well.committed_at is not None
    assert well.problems == ()

    away = measure_health(replace(cell, bootstrap_servers="127.0.0.1:1"), strict_product)
    assert (away.waiting, away.committed_at) == (None, well.committed_at), "the rest is told"
    assert "Kafka does not answer" in " ".join(away.problems)


def beat_of(cell: Cell, product: Product) -> int | None:
    """Return the number of the process that last said that it goes on."""
    beat = read_heartbeat(heartbeat_file(cell, product.name))
    return None if beat is None else beat.pid
