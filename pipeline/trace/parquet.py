"""Reading rows of data files by DuckDB, which opens of a file only what may hold them."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb
import pyarrow as pa
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.table import Table

_SCHEME = "headwater"
_ROWS_AT_ONCE = 10_000
_SETTINGS = {
    # Nothing is ever fetched from a network but the table's own files.
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}


class ParquetFiles:
    """Data files of one table, wherever its warehouse is. Close it when done: `parquet_files`."""

    def __init__(self, table: Table) -> None:
        self._connection = duckdb.connect(config=dict(_SETTINGS))
        self._connection.execute("set TimeZone = 'UTC'")
        scheme, netloc, _ = PyArrowFileIO.parse_location(table.location())
        self._prefix = ""
        if scheme != "file":
            self._prefix = f"{_SCHEME}://"
            self._connection.register_filesystem(_filesystem(table, scheme, netloc))

    def close(self) -> None:
        """Let go of what was opened."""
        self._connection.close()

    def having(self, paths: Sequence[str], column: str, value: object) -> tuple[str, ...]:
        """Return those of `paths` that have a row whose `column` is `value`; each has the column.

        Row groups are passed over by their bounds and Bloom filters.
        """
        if not paths:
            return ()
        query = (
            f'select distinct filename from read_parquet(?, filename = true) where "{column}" = ?'  # noqa: S608
        )
        names = [self._name(path) for path in paths]
        found = self._connection.execute(query, [names, value]).fetchall()
        by_name = {self._plain(path): path for path in paths}
        return tuple(sorted(by_name[name] for (name,) in found))

    def rows(
        self, path: str, columns: Sequence[str], wanted: str, values: Sequence[object]
    ) -> list[dict[str, Any]]:
        """Return rows of one file that a condition in SQL holds for; of columns that it lacks, null."""
        held = self._columns(path)
        told = ", ".join(
            f'"{name}"' if name in held else f'null as "{name}"' for name in dict.fromkeys(columns)
        )
        query = f"select {told} from read_parquet(?) where {wanted}"  # noqa: S608 - names of columns
        found = self._connection.sql(query, params=[[self._name(path)], *values])
        return found.to_arrow_table().to_pylist()  # type: ignore[no-any-return]

    def batches(self, paths: Sequence[str], columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield columns, which each of the files has, of all their rows."""
        if paths:
            told = ", ".join(f'"{name}"' for name in columns)
            names = [self._name(path) for path in paths]
            query = f"select {told} from read_parquet(?)"  # noqa: S608 - names of columns
            found = self._connection.sql(query, params=[names])
            yield from found.to_arrow_reader(_ROWS_AT_ONCE)

    def _columns(self, path: str) -> frozenset[str]:
        found = self._connection.execute(
            "select * from read_parquet(?) limit 0", [[self._name(path)]]
        )
        return frozenset(one[0] for one in found.description or ())

    def _name(self, path: str) -> str:
        # What stands for any character elsewhere stands for itself in a path of a table.
        return glob.escape(self._plain(path))

    def _plain(self, path: str) -> str:
        # Most are local, of which there are thousands.
        local = path.startswith("file:///")
        place = path[7:] if local else PyArrowFileIO.parse_location(path)[2]
        return self._prefix + place


@contextmanager
def parquet_files(table: Table) -> Iterator[ParquetFiles]:
    """Return what reads the table's data files, closed at the end of the block."""
    files = ParquetFiles(table)
    try:
        yield files
    finally:
        files.close()


def _filesystem(table: Table, scheme: str, netloc: str) -> Any:
    from fsspec.implementations.arrow import ArrowFSWrapper

    class Wrapped(ArrowFSWrapper):  # type: ignore[misc]
        protocol = _SCHEME

        @classmethod
        def _strip_protocol(cls, path: str) -> str:
            return path.removeprefix(f"{_SCHEME}://")

        def info(self, path: str, **_: Any) -> Any:
            return super().info(self._strip_protocol(path))

    io = table.io
    if not isinstance(io, PyArrowFileIO):
        raise TypeError("a warehouse is read by PyArrow")
    return Wrapped(io.fs_by_scheme(scheme, netloc))
