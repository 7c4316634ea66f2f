"""A disk that is full says so, whatever is written, and leaves no half a file; a broken file is named."""

from __future__ import annotations

import errno
import resource
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from headwater.cli.main import main
from headwater.stack.state import StackState, load_state
from pipeline.catalogs.sqlite import CatalogDamagedError
from pipeline.cells import Cell, save_cell
from pipeline.disk import DiskFullError, FileDamagedError
from pipeline.errors import ExitCode
from pipeline.files import write_atomically
from pipeline.hours.fence import FenceStore
from pipeline.schemas.registry import RegistryDamagedError
from pipeline.schemas.sqlite import SqliteRegistry
from pipeline.state.sqlite import SqliteState
from pipeline.tables.catalog import open_catalog
from pipeline.tables.errors import named_errors

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Let no file grow beyond `size` bytes, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_file_that_there_is_no_room_for_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "stack.json"
    write_atomically(path, "before")
    with files_of_at_most(8), pytest.raises(DiskFullError, match=str(path)):
        write_atomically(path, "longer than that")
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_the_state_of_the_stack_and_a_cell_are_whole_or_as_they_were(
    tmp_path: Path, quiet_cell: Cell, home: Path
) -> None:
    StackState("token").save(tmp_path)
    save_cell(home, quiet_cell)
    with files_of_at_most(8):
        with pytest.raises(DiskFullError, match=r"stack\.json"):
            StackState("another", ["us"]).save(tmp_path)
        with pytest.raises(DiskFullError, match=r"cell\.json"):
            save_cell(home, quiet_cell)
    assert load_state(tmp_path) == StackState("token")


def registered(path: Path) -> None:
    registry = SqliteRegistry(path)
    fields = [{"name": f"field_{n}", "type": "string", "doc": "x" * 200} for n in range(200)]
    registry.register("s", {"type": "record", "name": "R", "fields": fields})


def fenced(path: Path) -> None:
    FenceStore(SqliteState(path)).place("t", [NOW], dict.fromkeys(range(20_000), 1), NOW)


@pytest.mark.parametrize("write", [registered, fenced])
@pytest.mark.parametrize("made", [True, False], ids=["that is there", "to be made"])
def test_a_database_that_there_is_no_room_for_says_so(
    tmp_path: Path, write: Callable[[Path], None], made: bool
) -> None:
    path = tmp_path / "some.db"
    if made:
        SqliteRegistry(path)
        FenceStore(SqliteState(path))
    with (
        files_of_at_most(66_000 if made else 1_000),
        pytest.raises(DiskFullError, match="disk is full"),
    ):
        write(path)
    write(path)


def test_sqlites_own_word_for_a_full_disk_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "registry.db"
    SqliteRegistry(path)
    connect = sqlite3.connect

    def full(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*args, **kwargs)
        connection.execute("PRAGMA max_page_count = 1")
        return connection

    with monkeypatch.context() as patched:
        patched.setattr("sqlite3.connect", full)
        with pytest.raises(DiskFullError, match=f"{path}.*database or disk is full"):
            registered(path)
    registered(path)


def test_a_catalog_that_there_is_no_room_for_says_so(quiet_cell: Cell) -> None:
    with files_of_at_most(1_000), pytest.raises(DiskFullError, match=r"catalog\.db"):
        open_catalog(quiet_cell)
    catalog = open_catalog(quiet_cell)
    with files_of_at_most(40_000), pytest.raises(DiskFullError, match=r"catalog\.db"):
        catalog.create_namespace("many", {f"key-{n}": "x" * 500 for n in range(1_000)})
    open_catalog(quiet_cell).create_namespace("last")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_warehouse_that_is_full_says_so_with_its_place(tmp_path: Path, number: int) -> None:
    with (
        pytest.raises(
            DiskFullError, match=r"^p\.events: its disk is full .mounted at /.* bytes free"
        ),
        named_errors("p.events", tmp_path.as_uri()),
    ):
        raise OSError(number, "no")


def test_a_command_says_that_the_disk_is_full_wherever_it_strikes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["headwater", "status"])

    def full(_: Path) -> StackState:
        with Path("/dev/full").open("w") as file:
            file.write("anything")
        raise AssertionError("it was written")

    monkeypatch.setattr("headwater.stack.stack.load_state", full)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == ExitCode.RETRYABLE
    assert "disk is full" in capsys.readouterr().err


GARBAGE = (b"garbage" * 1_000, b"\x00" * 4_096)


@pytest.mark.parametrize("garbage", GARBAGE)
def test_a_database_that_is_garbage_is_named_with_its_file(
    quiet_cell: Cell, garbage: bytes
) -> None:
    quiet_cell.root.mkdir(parents=True, exist_ok=True)
    for path in (quiet_cell.registry_db, quiet_cell.state_db, quiet_cell.root / "catalog.db"):
        path.write_bytes(garbage)
    with pytest.raises(RegistryDamagedError, match=str(quiet_cell.registry_db)):
        SqliteRegistry(quiet_cell.registry_db)
    with pytest.raises(FileDamagedError, match=str(quiet_cell.state_db)):
        FenceStore(SqliteState(quiet_cell.state_db))
    with pytest.raises(CatalogDamagedError, match=r"catalog\.db"):
        open_catalog(quiet_cell)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"token": "t", "processes": {"a": {}}}'])
def test_a_state_of_the_stack_that_is_garbage_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "stack.json").write_text(text)
    with pytest.raises(FileDamagedError, match=r"stack\.json"):
        load_state(tmp_path)
