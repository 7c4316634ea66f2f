"""Where Dagster keeps runs, events and ticks: SQLite in its home, or a database in PostgreSQL."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from pipeline.catalogs.postgresql import BACKEND, AddressError, named_refusal, parse_address
from pipeline.config.secret_text import marked
from pipeline.errors import RetryableError, TerminalError
from pipeline.settings import dagster_storage_uri

SETTING = "dagster.storage_uri"
VARIABLE = "HEADWATER_DAGSTER__STORAGE_URI"
"""What Dagster's processes are told the address by. No file and no command line has it."""
IN_POSTGRESQL = f"""
storage:
  postgres:
    postgres_url:
      env: {VARIABLE}
"""
IN_SQLITE = """
event_log_storage:
  # Where it is by default, and with batches: a backfill logs thousands of hours.
  module: assets.dagster_private.event_batches
  class: BatchedSqliteEventLogStorage
  config:
    base_dir: $DAGSTER_HOME/history/runs
"""
"""What the instance's configuration says of its storage, in YAML, before its home is filled in."""
_NEEDED = ("dagster_postgres", "psycopg")
_REMEDY = f"Correct `{SETTING}`, or grant what is missing: CONNECT on the database, and CREATE in its schema."
_UTC = "-c timezone=UTC"
_MAY_WRITE = """
SELECT CASE WHEN to_regclass('event_logs') IS NULL
            THEN has_schema_privilege(current_schema(), 'CREATE')
            ELSE has_table_privilege('event_logs', 'INSERT') END
"""


class StorageUnavailableError(RetryableError):
    """The database of Dagster's storage did not answer."""


class StorageRefusedError(TerminalError):
    """The database of Dagster's storage answered and refused: a login, a name, a right that is missing."""


class StorageNotSupportedError(TerminalError):
    """Dagster's storage cannot be kept there, or what it takes is not installed."""


def storage_uri(home: Path) -> str | None:
    """Return the address for Dagster's processes, as its driver takes it; None where storage is SQLite.

    Nothing is connected to. Its representation has the password masked.

    Raises:
        StorageNotSupportedError: it is no address of PostgreSQL, or a library for it is not installed.
        SettingInvalidError, SecretUnreadableError: as `dagster_storage_uri`.
    """
    said = dagster_storage_uri(home)
    if said is None:
        return None
    try:
        url = parse_address(said)
    except AddressError as error:
        raise StorageNotSupportedError(
            f"it {error}.",
            subject=SETTING,
            remedy="Say `postgresql://<user>:<password>@<host>:<port>/<database>`, or leave it out: then it "
            "is SQLite.",
        ) from None
    if any(importlib.util.find_spec(library) is None for library in _NEEDED):
        raise StorageNotSupportedError(
            "it is in PostgreSQL, and dagster-postgres or psycopg is not installed.",
            subject=SETTING,
            remedy="Install them: `pip install 'headwater[dagster-postgresql]'`.",
        )
    # Dagster writes and compares times without a zone, which are to be UTC whatever the server's is.
    options = " ".join((*url.normalized_query.get("options", ()), _UTC))
    url = url.set(drivername="postgresql+psycopg2").update_query_dict({"options": options})
    address: str = marked("", url.render_as_string(hide_password=False))
    return address


def place(uri: str) -> str:
    """Return where a storage is, for people: without password, driver and parameters."""
    return parse_address(uri).set(drivername=BACKEND, query={}).render_as_string()


def check_storage(uri: str) -> None:
    """Return if Dagster can work in the database at `uri`. Makes nothing there.

    Raises:
        StorageUnavailableError: it did not answer; another time it may.
        StorageRefusedError: it refused the login, or the user may not make or write to Dagster's tables.
    """
    from sqlalchemy import create_engine, text
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.pool import NullPool

    subject = f"Dagster's storage {place(uri)}"
    try:
        with create_engine(parse_address(uri), poolclass=NullPool).connect() as connection:
            may_write = connection.scalar(text(_MAY_WRITE))
    except DBAPIError as error:
        named = named_refusal(
            error.orig, subject, StorageUnavailableError, StorageRefusedError, remedy=_REMEDY
        )
        if named is None:
            raise
        raise named from error
    if not may_write:
        raise StorageRefusedError(
            "PostgreSQL refused (the user may not make tables there, or write to Dagster's).",
            subject=subject,
            remedy=_REMEDY,
        )
