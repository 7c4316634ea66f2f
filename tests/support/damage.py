"""Files of a table that are not what was written to them, though as long."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyiceberg.table import Table


def data_file(table: Table) -> Path:
    """Return a data file of main."""
    return path(next(iter(table.scan().plan_files())).file.file_path)


def manifest(table: Table) -> Path:
    """Return a manifest of main's current snapshot."""
    snapshot = table.current_snapshot()
    assert snapshot is not None
    return path(snapshot.manifests(table.io)[-1].manifest_path)


def path(location: str) -> Path:
    """Return the local file of a location, as PyIceberg or as Spark writes it."""
    return Path(location.removeprefix("file:"))


@contextmanager
def damaged(file: Path) -> Iterator[None]:
    """Have other bytes in `file` for the block, as many as before."""
    kept = file.read_bytes()
    file.write_bytes(bytes(len(kept)))
    try:
        yield
    finally:
        file.write_bytes(kept)
