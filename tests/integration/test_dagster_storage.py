"""Dagster's storage in PostgreSQL: a stack works on it, and is told what is wrong before it starts."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import dagster as dg
import psutil
import pytest
from sqlalchemy.engine import URL, make_url

from assets.steps.storage import forget_old
from headwater.doctor import dagster_storage
from headwater.doctor.model import Outcome, Setup
from headwater.stack import stack
from headwater.stack.dagster.storage import (
    VARIABLE,
    StorageRefusedError,
    StorageUnavailableError,
    check_storage,
    storage_uri,
)
from headwater.stack.parts import Part
from headwater.stack.ports import free_port
from pipeline.cells import Cell
from pipeline.clock import utc_now
from pipeline.errors import HeadwaterError
from pipeline.settings import Settings, load_settings
from tests.support.dagster_api import DagsterApi, wait_until
from tests.support.postgresql import PostgresqlServer

HOURS = ("2026-01-01-00:00", "2026-01-01-01:00")
TABLE = dg.AssetKey(["us", "p", "table"])
OF_DAGSTER = ("code-server-us", "dagster-daemon", "dagster-webserver")
DEFINITIONS = """\
import os
from pathlib import Path

import dagster as dg

from assets.keys import CELL_TAG
from assets.storage import storage

HOURS = dg.HourlyPartitionsDefinition("2026-01-01-00:00")

@dg.asset(key_prefix=["us", "p"], partitions_def=HOURS)
def table() -> dg.MaterializeResult:
    started_by = Path(f"/proc/{os.getppid()}/cmdline").read_text().replace("\\0", " ")
    return dg.MaterializeResult(metadata={"started by": started_by})

defs = dg.Definitions.merge(dg.Definitions([table]), storage("us"))
"""
WORKSPACE = """\
load_from:
  - python_file:
      relative_path: definitions.py
      location_name: us
"""


@pytest.fixture
def uri(postgresql: PostgresqlServer) -> URL:
    """An empty database, with what addresses must write otherwise in its user's password."""
    name, word = f"db_{uuid4().hex}", f"p@ss/%s:{secrets.token_hex(8)}"
    url = make_url(postgresql.database(name)).set(password=word)
    postgresql.execute(f"ALTER ROLE {name} PASSWORD '{word}'")
    return url


@pytest.fixture
def settings(home: Path, uri: URL) -> Iterator[Settings]:
    """Of a home whose headwater.toml names a file that has the address; what is started there is stopped."""
    home.mkdir()
    (home.parent / "secret").write_text(shown(uri))
    toml = f'[dagster]\nstorage_uri = {{ file = "{home.parent}/secret" }}\n'
    (home / "headwater.toml").write_text(toml)
    (home.parent / "definitions.py").write_text(DEFINITIONS)
    (home.parent / "workspace.yaml").write_text(WORKSPACE)
    settings = replace(load_settings(), home=home)
    yield settings
    stack.down(settings, print)


def shown(uri: URL) -> str:
    return uri.render_as_string(hide_password=False)


def up(settings: Settings, say: Callable[[str], None] = print) -> dict[str, Part]:
    workspace = settings.home.parent / "workspace.yaml"
    ports = {"kafka_port": free_port(), "web_port": free_port()}
    return {one.name: one for one in stack.up(settings, ["us"], say, workspace=workspace, **ports)}


def test_a_stack_keeps_runs_and_events_there_and_the_password_nowhere(
    settings: Settings, uri: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    parts = up(settings, said.append)
    assert all(one.healthy for one in parts.values())
    api = DagsterApi(parts["dagster-webserver"].address or "")
    backfill = api.backfill([*TABLE.path], [*HOURS])
    wait_until("two hours are built", lambda: api.backfilled(backfill), 300)

    assert_nowhere(str(uri.password), settings.home, said)
    assert not list((settings.home / "dagster").rglob("*.db"))
    assert_built_and_forgotten(settings, monkeypatch)
    assert up(settings) == parts, "what runs is left alone"


def assert_nowhere(password: str, home: Path, said: list[str]) -> None:
    token = json.loads((home / "stack.json").read_text())["token"]
    lines = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(stack.TOKEN) == token:
                lines.append(" ".join(process.cmdline()))
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    assert len([line for line in lines if "dagster" in line]) >= len(OF_DAGSTER)
    files = [path for path in home.rglob("*") if path.is_file()]
    assert {"dagster.yaml", "dagster-daemon.log", "stack.json"} <= {path.name for path in files}
    # As it is, and as addresses write it.
    for form in (password, password.rpartition(":")[2]):
        assert not [line for line in (*lines, *said) if form in line]
        assert not [path for path in files if form.encode() in path.read_bytes()]


def assert_built_and_forgotten(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, storage_uri(settings.home) or "")
    with dg.DagsterInstance.from_config(str(settings.home / "dagster")) as instance:
        assert instance.get_materialized_partitions(TABLE) == {*HOURS}
        for one in instance.fetch_materializations(TABLE, limit=9).records:
            assert one.asset_materialization is not None
            started_by = one.asset_materialization.metadata["started by"].value
            assert "forkserver" in str(started_by), "it was forked"
        later = utc_now() + timedelta(days=91)
        found = forget_old(instance, "us", logging.getLogger("test"), clock=lambda: later)
        assert found["runs deleted"] == 1, "one is the newest"
        assert instance.get_materialized_partitions(TABLE) == {*HOURS}
    monkeypatch.delenv(VARIABLE)


Wrong = Callable[[URL], URL]
WRONG: dict[str, tuple[Wrong, type[HeadwaterError], str]] = {
    "password": (
        lambda url: url.set(password=secrets.token_hex(4)),
        StorageRefusedError,
        "password",
    ),
    "user": (lambda url: url.set(username="nobody"), StorageRefusedError, "nobody"),
    "database": (lambda url: url.set(database="absent"), StorageRefusedError, "absent"),
    "port": (lambda url: url.set(port=free_port()), StorageUnavailableError, "refused"),
    "host": (lambda url: url.set(host="absent.invalid"), StorageUnavailableError, "resolve"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_with_it_is_told_by_name_and_nothing_is_started(
    settings: Settings, uri: URL, wrong: str
) -> None:
    change, error, words = WRONG[wrong]
    url = change(uri)
    (settings.home.parent / "secret").write_text(shown(url))
    with pytest.raises(error, match=words) as raised:
        up(settings)
    assert str(url.password) not in str(raised.value)
    assert not (settings.home / "stack.json").exists()


def test_a_user_who_may_not_make_tables_is_refused(uri: URL, postgresql: PostgresqlServer) -> None:
    reader = f"reader_{uuid4().hex}"
    word = secrets.token_hex(4)
    postgresql.execute(f"CREATE ROLE {reader} LOGIN PASSWORD '{word}'")
    with pytest.raises(StorageRefusedError, match="may not make tables there"):
        check_storage(shown(uri.set(username=reader, password=word)))


def test_the_doctor_tells_how_it_is(
    settings: Settings, uri: URL, quiet_cell: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADWATER_HOME", str(settings.home))
    (found,) = dagster_storage.ask(Setup(quiet_cell, ()))
    assert (found.outcome, found.what) == (Outcome.WELL, "it answers.")
    assert found.subject == f"postgresql://{uri.username}:***@127.0.0.1:{uri.port}/{uri.database}"
    (settings.home.parent / "secret").write_text(shown(uri.set(port=free_port())))
    with pytest.raises(StorageUnavailableError):
        dagster_storage.ask(Setup(quiet_cell, ()))
    (settings.home / "headwater.toml").unlink()
    (found,) = dagster_storage.ask(Setup(quiet_cell, ()))
    assert (found.outcome, found.subject) == (Outcome.WELL, str(settings.home / "dagster"))
