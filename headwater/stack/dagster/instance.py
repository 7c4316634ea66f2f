"""The Dagster instance of a stack: its configuration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from headwater.stack.dagster.storage import IN_POSTGRESQL, IN_SQLITE, VARIABLE
from pipeline.files import write_atomically
from pipeline.settings import Settings

INSTANCE = Path(__file__).with_name("dagster.yaml")


def prepare(dagster_home: Path, *, in_postgresql: bool = False) -> None:
    """Put the instance's configuration where Dagster looks for it.

    With `in_postgresql` its storage is the database that `storage.VARIABLE` tells each process, else SQLite.
    """
    dagster_home.mkdir(parents=True, exist_ok=True)
    home = str(dagster_home.absolute())
    storage = IN_POSTGRESQL if in_postgresql else IN_SQLITE.replace("$DAGSTER_HOME", home)
    write_atomically(dagster_home / INSTANCE.name, INSTANCE.read_text() + storage)


def process_environment(
    settings: Settings, environment: Mapping[str, str], storage_uri: str, data_docs: str
) -> dict[str, str]:
    """Return the environment of each of Dagster's processes: `environment`, and what variables tell them.

    `storage_uri` is as `storage.storage_uri` returns it, empty for SQLite; `data_docs` is their address.
    """
    return {
        # A launch waits for the run's process, which on a busy machine loads code for over a minute.
        "DAGSTER_GRPC_TIMEOUT_SECONDS": "600",
        # A backfill plans and logs an event for each of its hours.
        "DAGSTER_EVENT_BATCH_SIZE": "500",
        **environment,
        "DAGSTER_HOME": str(settings.home / "dagster"),
        VARIABLE: storage_uri,
        "HEADWATER_HOME": str(settings.home),
        "HEADWATER_CONTRACTS": str(settings.contracts),
        "HEADWATER_CACHE": str(settings.cache),
        "HEADWATER_DATA_DOCS": data_docs,
        # A code server waits for calls under way before it ends, a minute long by default.
        "DAGSTER_GRPC_SHUTDOWN_GRACE_PERIOD": "1",
    }
