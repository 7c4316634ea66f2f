"""`state_uri` of a cell: state is where it says, and none is left behind without a word."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from pipeline.cells import Cell, load_cell, save_cell
from pipeline.contract.model import Product
from pipeline.errors import ExitCode
from pipeline.hours.fence import FenceStore
from pipeline.hours.settled import SettledHours, SettledStore
from pipeline.state.open import StateElsewhereError, open_state
from tests.support.commands import Command, command_for
from tests.support.postgresql import PostgresqlServer

HOUR = datetime(2026, 1, 1, 5, tzinfo=UTC)
LATER = datetime(2026, 1, 2, 5, tzinfo=UTC)


@pytest.fixture
def shared(quiet_cell: Cell, home: Path, postgresql: PostgresqlServer) -> Cell:
    cell = replace(quiet_cell, state_uri=postgresql.database(f"db_{uuid4().hex}"))
    save_cell(home, cell)
    return cell


@pytest.fixture
def command(shared: Cell, strict_product: Product) -> Command:
    return command_for(shared, strict_product)


def test_two_homes_have_one_state(shared: Cell, home: Path, tmp_path: Path) -> None:
    FenceStore(open_state(shared)).place("t", [HOUR], {0: 10}, HOUR)
    other = replace(shared, root=tmp_path / "other" / "cells" / "us")
    FenceStore(open_state(other)).place("t", [HOUR], {0: 99}, LATER)
    fences = FenceStore(open_state(load_cell(home, "us"))).fences("t")
    assert fences[HOUR].watermarks == {0: 10}
    assert not shared.state_db.exists()
    assert not other.state_db.exists()


def test_state_in_the_folder_is_moved_once_and_never_passed_over(
    shared: Cell, command: Command
) -> None:
    here = replace(shared, state_uri=None)
    FenceStore(open_state(here)).place("t", [HOUR], {0: 10}, HOUR)
    SettledStore(open_state(here)).keep("orders", SettledHours(HOUR, "basis", 1, 1))
    with pytest.raises(StateElsewhereError, match="headwater state move --cell us"):
        open_state(shared)
    moved = command.run("state", "move", "--cell", "us", "--json")
    assert moved.json == {
        "hour_fences": 1,
        "hour_watches": 0,
        "hour_closings": 0,
        "table_watches": 0,
        "settled_hours": 1,
    }
    store = FenceStore(open_state(shared))
    assert store.fences("t")[HOUR].watermarks == {0: 10}
    assert command.run("state", "move", "--cell", "us", "--json").json == {}
    with pytest.raises(StateElsewhereError, match="state_uri"):
        open_state(here)


def test_what_another_host_has_noted_already_stays(shared: Cell, command: Command) -> None:
    FenceStore(open_state(shared)).place("t", [HOUR], {0: 1}, HOUR)
    FenceStore(open_state(replace(shared, state_uri=None))).place("t", [HOUR, LATER], {0: 2}, LATER)
    assert command.run("state", "move", "--cell", "us").code == ExitCode.OK
    fences = FenceStore(open_state(shared)).fences("t")
    assert (fences[HOUR].watermarks, fences[LATER].watermarks) == ({0: 1}, {0: 2})


def test_a_file_that_is_in_use_stays_where_it_is(shared: Cell, command: Command) -> None:
    FenceStore(open_state(replace(shared, state_uri=None))).place("t", [HOUR], {0: 2}, LATER)
    with closing(sqlite3.connect(shared.state_db)) as other:
        other.execute("SELECT count(*) FROM hour_fences").fetchone()
        assert command.run("state", "move", "--cell", "us").code == ExitCode.RETRYABLE
    assert command.run("state", "move", "--cell", "us").code == ExitCode.OK


def test_without_state_uri_there_is_nothing_to_move_to(
    quiet_cell: Cell, home: Path, shared: Cell, command: Command
) -> None:
    save_cell(home, quiet_cell)
    refused = command.run("state", "move", "--cell", "us")
    assert refused.code == ExitCode.TERMINAL
    assert "state_uri" in refused.err


def test_the_doctor_asks_it_and_shows_no_password(shared: Cell, command: Command) -> None:
    said = command.run("doctor", "--cell", "us", "--json")
    assert "it answers." in said.out
    assert str(shared.state_uri) not in said.out
    settings = command.run("config", "show", "--json")
    assert str(shared.state_uri) not in settings.out
    assert "state_uri" in settings.out
