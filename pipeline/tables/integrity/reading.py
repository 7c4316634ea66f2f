"""Reading a table's files to their ends, and naming the one that a reader could not read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pyarrow.parquet as pq
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table

from pipeline.disk import FileMissingError
from pipeline.errors import HeadwaterError
from pipeline.tables.errors import WarehouseUnavailableError, named_errors
from pipeline.tables.integrity.readable import check_readable, check_size, damaged, data_files


@contextmanager
def reading(table: Table, snapshot_id: int | None = None) -> Iterator[None]:
    """Name the file at fault where the block, which reads `table`, ends in an error without a name.

    Then all that the snapshot needs, main's current one by default, is read, file by file. Errors that are
    not a file's are passed on as they are.

    Raises:
        FileMissingError, FileDamagedError: with the file.
        WarehouseUnavailableError: a file is away because the snapshot has expired meanwhile: read anew.
    """
    try:
        yield
    except HeadwaterError:
        raise
    except Exception as error:
        # Libraries make errors of all kinds of broken bytes, and few of them name the file.
        try:
            _read_all(table, snapshot_id)
        except FileMissingError as missing:
            _read_all(table.catalog.load_table(table.name()), snapshot_id)
            raise WarehouseUnavailableError(
                f"a snapshot expired while it was read: {missing.what}",
                subject=missing.subject,
                remedy="Read the table anew; nothing is lost.",
            ) from error
        raise


def check_whole(table: Table, row_filter: str) -> None:
    """Raise if a file that a scan of main by `row_filter` needs is away, or cannot be read to its end.

    Raises:
        FileMissingError, FileDamagedError: with the file.
        WarehouseUnavailableError: try again later.
    """
    check_readable(table, files=None)
    with named_errors(".".join(table.name())):
        _read(table, (task.file for task in table.scan(row_filter).plan_files()))


def _read_all(table: Table, snapshot_id: int | None) -> None:
    """Read every file of a snapshot, main's current one for None; nothing of one that has expired."""
    subject = ".".join(table.name())
    snapshot = (
        table.current_snapshot()
        if snapshot_id is None
        else table.metadata.snapshot_by_id(snapshot_id)
    )
    with named_errors(subject):
        _read(table, data_files(snapshot, table.io, subject, None))


def _read(table: Table, files: Iterable[DataFile]) -> None:
    subject = ".".join(table.name())
    for file in files:
        path = file.file_path
        check_size(table.io, subject, "data file", path, file.file_size_in_bytes)
        try:
            with table.io.new_input(path).open() as stream:
                for _ in pq.ParquetFile(stream).iter_batches():
                    pass
        except Exception as error:
            raise damaged(subject, "data file", path, str(error)) from error
