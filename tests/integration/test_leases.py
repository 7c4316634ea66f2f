"""Leases behave the same wherever a cell's state is: one owner at a time, by the database's clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest

from pipeline.catalogs.postgresql import address
from pipeline.state.leases import LeaseHolder, LeaseStore
from pipeline.state.postgresql import PostgresqlState
from pipeline.state.sqlite import SqliteState
from tests.support.postgresql import PostgresqlServer

LONG_S, SHORT_S = 60.0, 0.2
A, B = LeaseHolder("run a", "place a"), LeaseHolder("run b", "place b")
Open = Callable[[], LeaseStore]


@pytest.fixture(params=["sqlite", "postgresql"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """Open the same leases each time, as another process would."""
    if request.param == "sqlite":
        return lambda: LeaseStore(SqliteState(tmp_path / "state.db"))
    server: PostgresqlServer = request.getfixturevalue("postgresql")
    uri = server.database(f"db_{uuid4().hex}")
    return lambda: LeaseStore(PostgresqlState(address(uri, "us"), "us"))


def test_a_lease_has_one_holder(opened: Open) -> None:
    ours, theirs = opened(), opened()
    assert ours.holder("orders.ingest") is None
    assert ours.take("orders.ingest", A, LONG_S) is not None
    assert theirs.take("orders.ingest", B, LONG_S) is None
    assert theirs.holder("orders.ingest") == A
    assert theirs.take("orders.batch", B, LONG_S) is not None


def test_one_that_is_renewed_goes_on_and_one_that_is_not_ends(opened: Open) -> None:
    store = opened()
    lease = store.take("x", A, SHORT_S)
    assert lease is not None
    assert store.renew(lease, LONG_S)
    time.sleep(2 * SHORT_S)
    assert store.take("x", B, LONG_S) is None
    assert store.renew(lease, SHORT_S)
    time.sleep(2 * SHORT_S)
    assert store.holder("x") is None
    assert store.take("x", B, LONG_S) is not None


def test_who_was_followed_cannot_renew_nor_release(opened: Open) -> None:
    store = opened()
    old = store.take("x", A, SHORT_S)
    time.sleep(2 * SHORT_S)
    new = store.take("x", B, LONG_S)
    assert old is not None
    assert new is not None
    assert new.epoch > old.epoch
    assert not store.renew(old, LONG_S)
    store.release(old)
    assert store.holder("x") == B


def test_one_that_has_ended_and_that_nobody_took_is_its_owners_still(opened: Open) -> None:
    store = opened()
    lease = store.take("x", A, SHORT_S)
    assert lease is not None
    time.sleep(2 * SHORT_S)
    assert store.renew(lease, LONG_S)
    assert store.holder("x") == A


def test_a_released_one_is_free_at_once_and_its_epoch_is_not_given_again(opened: Open) -> None:
    store = opened()
    first = store.take("x", A, LONG_S)
    assert first is not None
    store.release(first)
    assert store.holder("x") is None
    second = store.take("x", B, LONG_S)
    assert second is not None
    assert second.epoch > first.epoch


def test_who_holds_the_same_file_need_not_wait_for_its_dead_owner(opened: Open) -> None:
    store = opened()
    dead = store.take("x", A, LONG_S)
    assert dead is not None
    follower = store.take("x", LeaseHolder("run c", A.place), LONG_S)
    assert follower is not None
    assert not store.renew(dead, LONG_S)


def test_of_many_that_take_it_at_once_one_does(opened: Open) -> None:
    def take(number: int) -> bool:
        holder = LeaseHolder(f"run {number}", f"place {number}")
        return opened().take("x", holder, LONG_S) is not None

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(take, range(12))) == 1
