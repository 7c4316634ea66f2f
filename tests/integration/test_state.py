"""A cell's state behaves the same wherever it is kept."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy.engine import make_url

from headwater.stack.ports import free_port
from pipeline.catalogs.postgresql import address
from pipeline.hours.closings import ClosingStore, HourClosings
from pipeline.hours.fence import Fence, FenceStore
from pipeline.hours.settled import SettledHours, SettledStore
from pipeline.state.port import State, StateRefusedError, StateUnavailableError
from pipeline.state.postgresql import PostgresqlState
from pipeline.state.sqlite import SqliteState
from tests.support.postgresql import PostgresqlServer

HOUR = datetime(2026, 1, 1, 5, tzinfo=UTC)
NOTED = HOUR + timedelta(hours=1, minutes=5)
LATER = NOTED + timedelta(days=1)
Open = Callable[[], State]


@pytest.fixture(params=["sqlite", "postgresql"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """Open the same state each time, as another process would."""
    if request.param == "sqlite":
        return lambda: SqliteState(tmp_path / "state.db")
    server: PostgresqlServer = request.getfixturevalue("postgresql")
    uri = server.database(f"db_{uuid4().hex}")
    return lambda: PostgresqlState(address(uri, "us"), "us")


def test_a_fence_once_placed_is_never_moved(opened: Open) -> None:
    FenceStore(opened()).place("t", [HOUR], {0: 10, 1: 2**40}, NOTED)
    store = FenceStore(opened())
    store.place("t", [HOUR, LATER], {0: 99}, LATER)
    assert store.fences("t") == {
        HOUR: Fence(HOUR, NOTED, {0: 10, 1: 2**40}),
        LATER: Fence(LATER, LATER, {0: 99}),
    }
    assert [*store.fences("t", since=HOUR + timedelta(seconds=1))] == [LATER]
    assert store.fences("recreated") == {}


def test_the_first_look_is_remembered(opened: Open) -> None:
    assert FenceStore(opened()).watched_since("t", NOTED) == NOTED
    assert FenceStore(opened()).watched_since("t", LATER) == NOTED


def test_a_closing_once_noted_stays(opened: Open) -> None:
    store = ClosingStore(opened())
    assert store.closings("t", "sales") == HourClosings(None, {})
    store.note("t", [HOUR], ["sales"], NOTED)
    store.note("t", [HOUR, NOTED], ["sales", "more"], LATER)
    again = ClosingStore(opened())
    assert again.closings("t", "sales") == HourClosings(NOTED, {HOUR: NOTED, NOTED: LATER})
    assert again.closings("t", "more").since == LATER


def test_times_are_ordered_as_times_whatever_the_databases_locale(opened: Open) -> None:
    store = ClosingStore(opened())
    whole, later = NOTED, NOTED + timedelta(microseconds=1)
    store.note("t", [HOUR], [], whole)
    found = store.closings("t", "sales", since=LATER, closed_since=later)
    assert found.closed_at == {}
    assert store.closings("t", "sales", since=LATER, closed_since=whole).closed_at == {HOUR: whole}


def test_settled_hours_are_replaced(opened: Open) -> None:
    store = SettledStore(opened())
    assert store.read("orders") is None
    settled = SettledHours(HOUR, "basis", 2**40, 3)
    store.keep("orders", replace(settled, rows=6))
    store.keep("orders", settled)
    assert SettledStore(opened()).read("orders") == settled
    assert store.read("others") is None


def test_what_raises_in_a_transaction_leaves_nothing(opened: Open) -> None:
    state = opened()
    store = FenceStore(state)
    with pytest.raises(KeyError):
        _watch_and_raise(state)
    assert store.watched_since("t", NOTED) == NOTED


def _watch_and_raise(state: State) -> None:
    with state.writing() as connection:
        connection.execute("INSERT INTO {at}hour_watches VALUES (?, ?)", ("t", "x"))
        raise KeyError


def _watch_and_pause(state: State, meanwhile: Callable[[], object]) -> None:
    with state.writing() as connection, ThreadPoolExecutor() as pool:
        connection.execute("INSERT INTO {at}hour_watches VALUES (?, ?)", ("t", LATER.isoformat()))
        pool.submit(meanwhile).result(timeout=10)
        connection.execute("SELECT 1")


def test_many_that_open_and_fence_at_once_leave_whole_fences_of_one_of_them(opened: Open) -> None:
    def race(watermark: int) -> None:
        store = FenceStore(opened())
        for number in range(20):
            store.place("t", [HOUR + timedelta(hours=number)], {0: watermark, 1: watermark}, NOTED)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(race, range(6)))
    fences = FenceStore(opened()).fences("t")
    assert len(fences) == 20
    assert all(fence.watermarks[0] == fence.watermarks[1] for fence in fences.values())


def test_cells_in_one_database_have_states_of_their_own(postgresql: PostgresqlServer) -> None:
    uri = postgresql.database(f"db_{uuid4().hex}")
    us, eu = (FenceStore(PostgresqlState(address(uri, cell), cell)) for cell in ("us", "eu"))
    us.place("t", [HOUR], {0: 1}, NOTED)
    assert eu.fences("t") == {}


def test_who_may_not_create_uses_what_is_there(postgresql: PostgresqlServer) -> None:
    uri = make_url(postgresql.database(f"db_{uuid4().hex}"))
    owner = PostgresqlState(address(uri.render_as_string(hide_password=False), "us"), "us")
    user = f"u_{uuid4().hex}"
    word = uuid4().hex
    postgresql.execute(f"CREATE ROLE {user} LOGIN PASSWORD '{word}'")
    as_user = uri.set(username=user, password=word).render_as_string(hide_password=False)
    with pytest.raises(StateRefusedError, match="permission denied"):
        FenceStore(PostgresqlState(address(as_user, "us"), "us"))
    FenceStore(owner).place("t", [HOUR], {0: 1}, NOTED)
    with owner.writing() as connection:
        connection.execute(f"GRANT USAGE ON SCHEMA headwater_us TO {user}")
        connection.execute(f"GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA headwater_us TO {user}")
    assert HOUR in FenceStore(PostgresqlState(address(as_user, "us"), "us")).fences("t")


def test_a_process_that_is_paused_within_a_transaction_does_not_hold_others_up(
    postgresql: PostgresqlServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.state.postgresql.IDLE_S", 0.2)
    uri = postgresql.database(f"db_{uuid4().hex}")
    paused = PostgresqlState(address(uri, "us"), "us")
    store = FenceStore(paused)
    with pytest.raises(StateUnavailableError):
        _watch_and_pause(paused, lambda: store.watched_since("t", NOTED))
    assert store.watched_since("t", LATER) == NOTED


def test_a_server_that_is_away_is_worth_another_attempt() -> None:
    uri = f"postgresql://me:hush@127.0.0.1:{free_port()}/state"
    with pytest.raises(StateUnavailableError, match="refused") as raised:
        FenceStore(PostgresqlState(address(uri, "us"), "us"))
    assert "hush" not in str(raised.value)
