"""A table without rows, whose files are made and kept nowhere: for trying out what would be written."""

from __future__ import annotations

import pyarrow as pa
from pyiceberg.io import FileIO, InputFile, OutputFile, OutputStream
from pyiceberg.table import Table


def discarding(table: Table) -> Table:
    """Return `table` as if it had no rows; its columns and settings are the same.

    Files written for it are made by the same code and dropped, so they must never be committed.
    """
    empty = table.metadata.model_copy(update={"current_snapshot_id": None, "refs": {}})
    return Table(table.name(), empty, table.metadata_location, _Discarding(), table.catalog)


class _Discarding(FileIO):
    def new_input(self, location: str) -> InputFile:
        raise FileNotFoundError(location)

    def new_output(self, location: str) -> OutputFile:
        return _DiscardedFile(location)

    def delete(self, location: str | InputFile | OutputFile) -> None:
        raise FileNotFoundError(str(location))


class _DiscardedFile(OutputFile):
    def __init__(self, location: str) -> None:
        super().__init__(location)
        self._stream = pa.MockOutputStream()

    def __len__(self) -> int:
        return int(self._stream.size())

    def exists(self) -> bool:
        return False

    def to_input_file(self) -> InputFile:
        raise FileNotFoundError(self.location)

    def create(self, overwrite: bool = False) -> OutputStream:  # noqa: ARG002
        stream: OutputStream = self._stream
        return stream
