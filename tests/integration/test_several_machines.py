"""Two hosts, as two homes, and one product: one works, the other follows it, and nothing is doubled."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.ledger.verify import verify_ledger
from pipeline.supervision.locks import (
    LockHeldError,
    hold_lock,
    ingest_lock,
    lock_holder,
)
from pipeline.tables.catalog import TableMissingError, load_table
from pipeline.tables.layout import events_table
from quality.health import IngestState
from quality.measure_health import measure_health
from tests.support.apart import AttemptFailedError
from tests.support.dagster_api import wait_until
from tests.support.hosts import FOLLOWS_S, Host, another_host, count_follow
from tests.support.load import TopicWriter
from tests.support.postgresql import PostgresqlServer
from tests.support.registry_server import served


@pytest.fixture
def shared(cell: Cell, postgresql: PostgresqlServer) -> Iterator[Cell]:
    uri = postgresql.database(f"db_{uuid4().hex}")
    cell.root.mkdir(parents=True, exist_ok=True)
    with served(cell.registry_db) as url:
        yield replace(cell, catalog_uri=uri, state_uri=uri, schema_registry={"url": url})


@pytest.fixture
def first(shared: Cell, tmp_path: Path, lease_s: float) -> Host:
    return another_host("first", shared, tmp_path, lease_s)


@pytest.fixture
def second(shared: Cell, tmp_path: Path, lease_s: float) -> Host:
    return another_host("second", shared, tmp_path, lease_s)


def test_a_host_that_is_killed_is_followed_by_another(
    first: Host, second: Host, strict_product: Product
) -> None:
    writer = TopicWriter(second.cell, strict_product)
    written = writer.fill(200).events
    killed = first.ingests(strict_product, for_s=FOLLOWS_S)
    wait_until("the first commit", lambda: rows(second.cell, strict_product), FOLLOWS_S)
    assert lock_holder(ingest_lock(second.cell, strict_product.name)) == "first"
    health = measure_health(second.cell, strict_product)
    assert (health.ingest, health.owner) == (IngestState.WORKING, "first")
    with (
        pytest.raises(LockHeldError, match="first, on another host"),
        hold_lock(ingest_lock(second.cell, strict_product.name), "second", wait_s=0),
    ):
        pytest.fail("held twice")

    written += writer.fill(200).events
    killed.end()
    follower, began = second.ingests(strict_product, wait_s=FOLLOWS_S), time.monotonic()
    assert follower.wait() == 0
    count_follow(began, "an ingest that was killed, and all was ingested")
    assert lock_holder(ingest_lock(first.cell, strict_product.name)) is None
    assert_each_once(second.cell, strict_product, written)


def test_a_host_that_was_paused_before_its_commit_cannot_make_it(
    first: Host, second: Host, strict_product: Product
) -> None:
    writer = TopicWriter(second.cell, strict_product)
    written = writer.fill(200).events
    paused = first.ingests(strict_product, at="ingest.before_event_commit:1")
    assert paused.falls_asleep()
    began = time.monotonic()
    assert second.ingests(strict_product, wait_s=FOLLOWS_S).wait() == 0
    count_follow(began, "an ingest that was paused, and all was ingested")
    assert_each_once(second.cell, strict_product, written)
    paused.wake()
    with pytest.raises(AttemptFailedError, match="LeaseLostError"):
        paused.wait()
    assert_each_once(second.cell, strict_product, written)


def test_a_host_that_was_paused_and_not_followed_goes_on(
    first: Host, second: Host, strict_product: Product
) -> None:
    written = TopicWriter(second.cell, strict_product).fill(200).events
    paused = first.ingests(strict_product, at="ingest.before_event_commit:1")
    assert paused.falls_asleep()
    time.sleep(first.lease_s + 1)
    paused.wake()
    assert paused.wait() == 0
    assert_each_once(second.cell, strict_product, written)


def test_the_same_host_follows_a_killed_process_at_once(
    first: Host, strict_product: Product
) -> None:
    TopicWriter(first.cell, strict_product).fill(10)
    killed = first.ingests(strict_product, for_s=FOLLOWS_S)
    wait_until("the first commit", lambda: rows(first.cell, strict_product), FOLLOWS_S)
    killed.end()
    lock = ingest_lock(first.cell, strict_product.name)
    assert lock_holder(lock) is None
    with hold_lock(lock, "next", wait_s=0):
        assert lock_holder(lock) == "next"


def rows(cell: Cell, product: Product) -> int | None:
    try:
        return load_table(cell, events_table(product.name)).scan().count() or None
    except TableMissingError:
        return None


def assert_each_once(cell: Cell, product: Product, written: int) -> None:
    assert verify_ledger(cell, product).balanced
    assert rows(cell, product) == written
