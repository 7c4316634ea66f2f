"""Dagster's storage in a PostgreSQL of the suite's."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from headwater.stack.dagster.storage import VARIABLE, storage_uri
from tests.support.postgresql import PostgresqlServer


def keep_in(server: PostgresqlServer, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the instances of this process be in a new database of `server`, whose time there is not UTC."""
    name = f"db_{uuid4().hex}"
    monkeypatch.setenv(VARIABLE, server.database(name))
    server.execute(f"ALTER ROLE {name} SET timezone = 'Asia/Tokyo'")
    uri = storage_uri(home)
    assert uri is not None
    monkeypatch.setenv(VARIABLE, uri)
