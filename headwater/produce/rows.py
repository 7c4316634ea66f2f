"""Rows of a file as they stand in it, with the number of each one's line. Holds a batch in memory."""

from __future__ import annotations

import csv
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from headwater.produce.csv_rows import Record, records
from headwater.produce.text_lines import lines, open_text
from pipeline.errors import TerminalError
from pipeline.rows.arrow_values import values_of
from pipeline.rows.json_text import parse_json

BATCH_ROWS = 10_000
BATCH_BYTES = 32 * 1024 * 1024
"""A batch of a Parquet file is as many rows as take about so much."""
SUFFIXES = (".jsonl", ".ndjson", ".csv", ".parquet")

# What files that are damaged raise; an encrypted zip, or one packed in a strange way, is the last two.
_DAMAGED = (
    OSError,
    EOFError,
    UnicodeDecodeError,
    csv.Error,
    pa.ArrowException,
    zipfile.BadZipFile,
    zlib.error,
    RuntimeError,
    NotImplementedError,
)


class SourceFileError(TerminalError):
    """The file cannot be read."""


@dataclass(frozen=True)
class SourceRow:
    """One row, of the lines `line` to `last`, counted from 1; in Parquet files these count rows.

    `values` is None where the row is broken, and `problem` says why.
    """

    line: int
    values: Mapping[str, Any] | None
    problem: str = ""
    last: int = 0


@dataclass(frozen=True)
class Source:
    """A file of rows. `columns` is None where each row names its own; `texts` where all values are."""

    path: Path
    kind: str
    columns: tuple[str, ...] | None

    @property
    def texts(self) -> bool:
        """Whether every value is a text."""
        return self.kind == ".csv"

    def rows(self, wanted: frozenset[str] | None = None) -> Iterator[SourceRow]:
        """Yield every row; of a Parquet file only columns that are `wanted`, where not None.

        Raises:
            SourceFileError: the file is damaged: nothing after the row before can be read.
        """
        last = 0
        try:
            for row in self._rows(wanted):
                last = row.last or row.line
                yield row
        except _DAMAGED as error:
            raise _unreadable(self.path, f"{_description(error)}, after line {last}") from error

    def _rows(self, wanted: frozenset[str] | None) -> Iterator[SourceRow]:
        if self.kind == ".parquet":
            return _parquet_rows(self.path, wanted)
        return _csv_rows(self.path) if self.kind == ".csv" else _json_rows(self.path)


def open_source(name: str) -> Source:
    """Open the file `name`: a path, or `package:<package>/<path>` in an installed package.

    JSON Lines, CSV (with a line of names first) or Parquet, by the suffix; the first two may also be
    gzipped (.gz) or alone in a .zip file.

    Raises:
        SourceFileError: no such file, none of these, or its names cannot be read.
    """
    path = _locate(name)
    kind = Path(path.stem).suffix if path.suffix in (".gz", ".zip") else path.suffix
    if kind not in SUFFIXES or (kind == ".parquet" and path.suffix != kind):
        raise _unreadable(path, f"not one of {', '.join(SUFFIXES)}")
    columns: tuple[str, ...] | None = None
    try:
        if kind == ".parquet":
            columns = tuple(pq.read_schema(path).names)
        elif kind == ".csv":
            with open_text(path) as file:
                first = next(records(lines(file)), Record(1, 1, []))
            if first.values is None:
                raise _unreadable(path, f"line {first.first} has its names, and is {first.problem}")
            columns = tuple(first.values)
    except _DAMAGED as error:
        raise _unreadable(path, _description(error)) from error
    return Source(path, kind, columns)


def _locate(name: str) -> Path:
    if name.startswith("package:"):
        package, _, inside = name.removeprefix("package:").partition("/")
        # The package's own code is not run: it may load all of its data.
        found = find_spec(package) if package.isidentifier() else None
        if found is None or not found.submodule_search_locations:
            raise _unreadable(Path(name), f"no installed package {package!r}")
        path = Path(found.submodule_search_locations[0], inside)
    else:
        path = Path(name)
    if not path.is_file():
        raise _unreadable(path, "no such file")
    return path


def _csv_rows(path: Path) -> Iterator[SourceRow]:
    with open_text(path) as file:
        found = records(lines(file))
        names = next(found, Record(1, 1, [])).values or []
        for record in found:
            values = record.values
            yield SourceRow(
                record.first,
                None if values is None else dict(zip(names, values, strict=True)),
                record.problem,
                record.last,
            )


def _json_rows(path: Path) -> Iterator[SourceRow]:
    with open_text(path) as file:
        for line in lines(file):
            if line.problem:
                yield SourceRow(line.number, None, line.problem)
            elif line.text.strip():
                yield _json_row(line.number, line.text)


def _json_row(number: int, text: str) -> SourceRow:
    try:
        values = parse_json(text)
    except ValueError as error:
        return SourceRow(number, None, str(error))
    if isinstance(values, dict):
        return SourceRow(number, values)
    return SourceRow(number, None, "not a JSON object")


def _parquet_rows(path: Path, wanted: frozenset[str] | None) -> Iterator[SourceRow]:
    # Its nanoseconds would turn over beyond 2262.
    with pq.ParquetFile(path, coerce_int96_timestamp_unit="us") as file:
        names = [n for n in file.schema_arrow.names if wanted is None or n in wanted]
        size = sum(file.metadata.row_group(n).total_byte_size for n in range(file.num_row_groups))
        each = max(1, size // max(1, file.metadata.num_rows))
        rows = max(1, min(BATCH_ROWS, BATCH_BYTES // each))
        line = 0
        for batch in file.iter_batches(batch_size=rows, columns=names):
            columns = [values_of(column) for column in batch.columns]
            for values in zip(*columns, strict=True) if columns else [()] * len(batch):
                line += 1
                yield SourceRow(line, dict(zip(batch.schema.names, values, strict=True)))


def _description(error: BaseException) -> str:
    return str(error).strip() or type(error).__name__


def _unreadable(path: Path, detail: str) -> SourceFileError:
    return SourceFileError(
        f"it cannot be read: {detail}.",
        subject=f"file {path}",
        remedy="Give a JSON Lines, CSV or Parquet file.",
    )
