"""What a cell's warehouse holds, in files or in S3, as Arrow's file systems tell it."""

from __future__ import annotations

from pyarrow.fs import FileSelector, FileSystem, LocalFileSystem

from pipeline.cells import Cell
from tests.support.seaweedfs import filesystem_of


def filesystem(cell: Cell) -> FileSystem:
    """Return the file system of the cell's warehouse."""
    return filesystem_of(cell.s3) if cell.s3 else LocalFileSystem()


def path_of(uri: str) -> str:
    """Return what a file system calls what tables name by its URI."""
    return uri.removeprefix("file://").removeprefix("s3://")


def files(cell: Cell, folder: str, suffix: str) -> set[str]:
    """Return the paths of all files below a folder, a URI, whose names end in `suffix`."""
    found = filesystem(cell).get_file_info(FileSelector(path_of(folder), recursive=True))
    return {one.path for one in found if one.is_file and one.path.endswith(suffix)}


def read(cell: Cell, uri: str) -> bytes:
    """Return the content of one file."""
    with filesystem(cell).open_input_stream(path_of(uri)) as stream:
        return bytes(stream.read())


def delete(cell: Cell, uri: str) -> None:
    """Delete one file, beside the table."""
    filesystem(cell).delete_file(path_of(uri))
