"""The Dagster instance of a stack: its configuration."""

from __future__ import annotations

from pathlib import Path

from headwater.stack.dagster.storage import IN_POSTGRESQL, IN_SQLITE
from pipeline.files import write_atomically

INSTANCE = Path(__file__).with_name("dagster.yaml")


def prepare(dagster_home: Path, *, in_postgresql: bool = False) -> None:
    """Put the instance's configuration where Dagster looks for it.

    With `in_postgresql` its storage is the database that `storage.VARIABLE` tells each process, else SQLite.
    """
    dagster_home.mkdir(parents=True, exist_ok=True)
    home = str(dagster_home.absolute())
    storage = IN_POSTGRESQL if in_postgresql else IN_SQLITE.replace("$DAGSTER_HOME", home)
    write_atomically(dagster_home / INSTANCE.name, INSTANCE.read_text() + storage)
