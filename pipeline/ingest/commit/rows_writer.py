"""Writing a micro-batch's rows while the next ones are decoded."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import polars as pl
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table

from pipeline.ingest.commit.memory import release_memory
from pipeline.tables.data_files.write import write_hours


class RowsWriter:
    """Gathers rows and writes them as files of a table, in a thread of its own.

    At most `rows_bytes` of rows wait while as much is being written. If nothing is being written, half
    of that is enough, and an eighth to begin a batch with: small files, but a core that waits writes none.
    Files are of no table until they are committed.
    """

    def __init__(self, rows_bytes: int) -> None:
        self._rows_bytes = rows_bytes
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="write")
        self._rows: list[pl.DataFrame] = []
        self._size = 0
        self._enough = rows_bytes // 8
        self._writing: Future[tuple[DataFile, ...]] | None = None
        self._files: list[DataFile] = []

    def add(self, rows: pl.DataFrame, size: int, table: Table) -> None:
        """Take rows that hold `size` bytes of memory.

        Raises:
            WarehouseUnavailableError: earlier rows could not be written.
        """
        if rows.is_empty():
            return
        self._rows.append(rows)
        self._size += size
        is_idle = self._writing is None or self._writing.done()
        if self._size >= (self._enough if is_idle else self._rows_bytes):
            self.write(table)
            self._enough = self._rows_bytes // 2

    def write(self, table: Table) -> None:
        """Start writing what is gathered, after what is being written.

        Raises:
            WarehouseUnavailableError: earlier rows could not be written.
        """
        self._await()
        if self._rows:
            # In one chunk already here, so that the parts are let go of before they are sorted.
            rows = pl.concat(self._rows, how="diagonal").rechunk()
            self._rows, self._size = [], 0
            self._writing = self._thread.submit(write_hours, table, [rows])
            release_memory()

    def files(self) -> tuple[DataFile, ...]:
        """Return the files of all rows given to `write`, and forget them.

        Raises:
            WarehouseUnavailableError: rows could not be written.
        """
        self._await()
        files, self._files = tuple(self._files), []
        self._enough = self._rows_bytes // 8
        return files

    def forget(self) -> None:
        """Drop rows and files: their batch is not committed."""
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None
        self._rows, self._size, self._files = [], 0, []
        self._enough = self._rows_bytes // 8

    def close(self) -> None:
        """End the thread, after what it is writing."""
        self.forget()
        self._thread.shutdown()

    def _await(self) -> None:
        if self._writing is not None:
            writing, self._writing = self._writing, None
            self._files.extend(writing.result())
