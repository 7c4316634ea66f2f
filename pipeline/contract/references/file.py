"""Files of reference data: columns of the contract's types, or what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.avro.arrow import UnsupportedTypeError
from pipeline.contract.references.csv_file import CsvFile
from pipeline.contract.references.parquet_file import ParquetFile
from pipeline.rows.converted import (
    ColumnError,
    Converted,
    arrow_type,
    converted,
    converted_instants,
)


@dataclass(frozen=True)
class Wanted:
    """What a contract says of a file's columns: Avro schemas of keys and of `types`, and `valid_from`.

    `columns` are those that tables get.
    """

    on: Mapping[str, Any]
    columns: tuple[str, ...] = ()
    valid_from: str | None = None
    types: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Problem:
    """One column that cannot be what it should be. `line` is the file's, 0 where no line is to blame.

    In Parquet files it counts rows.
    """

    column: str
    line: int
    text: str


@dataclass(frozen=True)
class Read:
    """What a file holds.

    Attributes:
        columns: those that the contract gives a type, `valid_from` as instants in UTC, and all others as the
            file has them; those with problems are left out.
        problems: what is wrong with it.
        of_texts: whether the others are texts, which show what they are.
    """

    columns: Mapping[str, Converted | pa.ChunkedArray]
    problems: tuple[Problem, ...]
    of_texts: bool


def read_columns(path: Path, content: bytes, wanted: Wanted) -> Read:
    """Return the columns of the table in `content`, by the suffix of `path`, and what is wrong with them.

    Raises:
        ValueError, OSError, ArrowException: it cannot be read at all.
    """
    file = _open(path, content, wanted)
    found: dict[str, Converted | pa.ChunkedArray] = {}
    problems: list[Problem] = []
    named = {*wanted.on, *wanted.columns, *wanted.types}
    named |= {wanted.valid_from} if wanted.valid_from is not None else set()
    for name in file.names:
        try:
            if name == wanted.valid_from:
                found[name] = converted_instants(file.values(name))
            elif name in wanted.on or name in wanted.types:
                schema = wanted.on[name] if name in wanted.on else wanted.types[name]
                found[name] = converted(file.values(name), schema)
            else:
                found[name] = file.own(name)
        except ColumnError as error:
            problems.append(Problem(name, file.line(error.row), str(error)))
        except (UnsupportedTypeError, ValueError) as error:
            if name in named:
                problems.append(Problem(name, 0, str(error)))
    problems += [
        Problem(name, 1, "a column that is there twice")
        for name in named
        if file.names.count(name) > 1
    ]
    return Read(found, tuple(problems), isinstance(file, CsvFile))


def _open(path: Path, content: bytes, wanted: Wanted) -> CsvFile | ParquetFile:
    if path.suffix == ".parquet":
        return ParquetFile(content)
    texts = (name for name, schema in wanted.on.items() if arrow_type(schema) == pa.string())
    return CsvFile(content, set(texts))
