"""A DuckDB in memory that can read the cell's warehouse, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory

import duckdb
from pyiceberg.io.pyarrow import PyArrowFileIO

from pipeline.catalogs.s3 import is_s3
from pipeline.cells import Cell
from pipeline.query.types import identifier, text
from pipeline.tables.warehouse import warehouse_of

_LOCAL = "file://"


@contextmanager
def open_database(cell: Cell) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a connection whose default database has the cell's name; it is gone at the end.

    It loads no extension, sees no variable of this process, and opens no file outside the warehouse, but
    for its own temporary ones. Whoever may make views does so before `lock`.

    Raises:
        WarehouseNotSupportedError: the warehouse can be at no such place.
    """
    with TemporaryDirectory(prefix="headwater-sql-") as folder:
        settings: dict[str, str | bool | int | float | list[str]] = {
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "python_enable_replacements": "false",
            "temp_directory": folder,
        }
        with duckdb.connect(":memory:", config=settings) as connection:
            connection.execute(f"ATTACH ':memory:' AS {identifier(cell.name)}")
            connection.execute(f"USE {identifier(cell.name)}")
            connection.execute("SET TimeZone = 'UTC'")
            _let_in(connection, cell)
            yield connection


def lock(connection: duckdb.DuckDBPyConnection) -> None:
    """Let nothing that is run from now on change a setting."""
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _let_in(connection: duckdb.DuckDBPyConnection, cell: Cell) -> None:
    warehouse = warehouse_of(cell)
    if is_s3(warehouse.location):
        # Python's filesystems are all that DuckDB can do without an extension of its own.
        from fsspec.implementations.arrow import ArrowFSWrapper

        scheme, netloc, _ = PyArrowFileIO.parse_location(warehouse.location)
        found = PyArrowFileIO(dict(warehouse.properties)).fs_by_scheme(scheme, netloc)
        connection.register_filesystem(ArrowFSWrapper(found))
    folder = warehouse.location.removeprefix(_LOCAL).rstrip("/") + "/"
    connection.execute(f"SET allowed_directories = [{text(folder)}]")
