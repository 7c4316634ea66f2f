"""Rows of a file as they stand in it, with the number of each one's line. Holds a batch in memory."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import TerminalError

BATCH = 10_000
SUFFIXES = (".jsonl", ".ndjson", ".csv", ".parquet")


class SourceFileError(TerminalError):
    """The file cannot be read."""


@dataclass(frozen=True)
class SourceRow:
    """One row. `line` counts from 1; in Parquet files it counts rows. `values` is None where broken."""

    line: int
    values: Mapping[str, Any] | None
    problem: str = ""


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

    def rows(self) -> Iterator[SourceRow]:
        """Yield every row.

        Raises:
            SourceFileError: the file is damaged.
        """
        readers = {".csv": _csv_rows, ".parquet": _parquet_rows}
        try:
            yield from readers.get(self.kind, _json_rows)(self.path)
        except (
            OSError,
            UnicodeDecodeError,
            csv.Error,
            pa.ArrowException,
            zipfile.BadZipFile,
        ) as error:
            raise _unreadable(self.path, str(error)) from error


def open_source(name: str) -> Source:
    """Open the file `name`: a path, or `package:<package>/<path>` in an installed package.

    JSON Lines, CSV (with a line of names first) or Parquet, by the suffix; the first two may also be
    gzipped (.gz) or alone in a .zip file.

    Raises:
        SourceFileError: no such file, or none of these.
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
            with _text(path) as file:
                columns = tuple(next(csv.reader(file), ()))
    except (OSError, UnicodeDecodeError, csv.Error, pa.ArrowException, zipfile.BadZipFile) as error:
        raise _unreadable(path, str(error)) from error
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


@contextmanager
def _text(path: Path) -> Iterator[IO[str]]:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if len(names) != 1:
                raise zipfile.BadZipFile(f"{len(names)} files in the archive, not 1")
            with archive.open(names[0]) as member:
                yield io.TextIOWrapper(member, encoding="utf-8-sig", newline="")
    elif path.suffix == ".gz":
        with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as file:
            yield file
    else:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield file


def _csv_rows(path: Path) -> Iterator[SourceRow]:
    with _text(path) as file:
        reader = csv.reader(file)
        names = next(reader, [])
        for values in reader:
            if not values:
                continue
            if len(values) != len(names):
                problem = f"{len(values)} values under {len(names)} names"
                yield SourceRow(reader.line_num, None, problem)
            else:
                yield SourceRow(reader.line_num, dict(zip(names, values, strict=True)))


def _json_rows(path: Path) -> Iterator[SourceRow]:
    with _text(path) as file:
        for line, text in enumerate(file, start=1):
            if not text.strip():
                continue
            try:
                values = json.loads(text)
            except json.JSONDecodeError as error:
                yield SourceRow(line, None, f"not JSON: {error.msg} at column {error.colno}")
                continue
            if isinstance(values, dict):
                yield SourceRow(line, values)
            else:
                yield SourceRow(line, None, "not a JSON object")


def _parquet_rows(path: Path) -> Iterator[SourceRow]:
    with pq.ParquetFile(path) as file:
        line = 0
        for batch in file.iter_batches(batch_size=BATCH):
            for values in batch.to_pylist():
                line += 1
                yield SourceRow(line, values)


def _unreadable(path: Path, detail: str) -> SourceFileError:
    return SourceFileError(
        f"it cannot be read: {detail}.",
        subject=f"file {path}",
        remedy="Give a JSON Lines, CSV or Parquet file.",
    )
