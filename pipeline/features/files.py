"""Files of rows, as training code has them: Parquet, CSV, JSON Lines."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from pipeline.errors import TerminalError
from pipeline.files import replacing
from pipeline.rows.columns import infer_type, typed
from pipeline.rows.converted import ColumnError

SUFFIXES = (".parquet", ".csv", ".jsonl")

_ISO = "%Y-%m-%dT%H:%M:%S%.6f"


class RowsFileError(TerminalError):
    """A file of rows cannot be read, or its format cannot hold the rows."""


def refuse_suffix(path: Path) -> None:
    """Raise unless the path's suffix is one of `SUFFIXES`.

    Raises:
        RowsFileError
    """
    if path.suffix not in SUFFIXES:
        raise RowsFileError(
            "its suffix names no format of rows.",
            subject=str(path),
            remedy=f"Use one of {', '.join(SUFFIXES)}.",
        )


def read_rows(path: Path, types: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Read a file of rows into memory. Times in CSV and JSON Lines stay texts.

    CSV names no types: columns of `types` are read as those, and others are texts, save where
    every value is written just as a number or boolean is (`infer_type`): `007` stays what it is.

    Raises:
        RowsFileError: no such file, none of the formats, damaged, or a value is not of its column's type.
    """
    refuse_suffix(path)
    try:
        if path.suffix == ".parquet":
            return pl.read_parquet(path, hive_partitioning=False, glob=False)
        if path.suffix == ".jsonl":
            return pl.read_ndjson(path, infer_schema_length=None)
        texts = pl.read_csv(path, infer_schema=False, glob=False)
        return pl.DataFrame(
            _read_as(column, types[name]) if name in types else infer_type(column)
            for name, column in texts.to_dict().items()
        )
    except (OSError, PolarsError, ColumnError) as error:
        raise RowsFileError(
            f"it cannot be read ({error}).",
            subject=str(path),
            remedy="Check the path, and that the file is whole and of the format of its suffix.",
        ) from error


def _read_as(texts: pl.Series, kind: pl.DataType) -> pl.Series:
    if isinstance(kind, pl.Decimal):
        digits = {"precision": kind.precision, "scale": kind.scale}
        found = typed(texts, {"type": "bytes", "logicalType": "decimal", **digits})
        return found.alias(texts.name)
    if isinstance(kind, pl.Boolean):
        return typed(texts, "boolean").alias(texts.name)
    return texts.cast(kind) if kind.is_numeric() else texts


def write_rows(path: Path, rows: pl.DataFrame) -> None:
    """Replace `path` with `rows`, atomically, in the format of its suffix.

    In CSV and JSON Lines times are ISO 8601, in UTC where they have a zone; a null is empty in CSV.

    Raises:
        RowsFileError: the suffix names no format, the format has no such types, or the disk refuses;
            `path` is as it was.
    """
    refuse_suffix(path)
    try:
        with replacing(path) as file:
            if path.suffix == ".parquet":
                rows.write_parquet(file, compression="zstd")
            elif path.suffix == ".csv":
                _with_text_times(rows).write_csv(file)
            else:
                _with_text_times(rows).write_ndjson(file)
    except (OSError, PolarsError) as error:
        raise RowsFileError(
            f"it cannot be written ({error}).",
            subject=str(path),
            remedy="See that its folder is there and has space; CSV holds no lists and structs.",
        ) from error


def _with_text_times(rows: pl.DataFrame) -> pl.DataFrame:
    texts = []
    for name, kind in rows.schema.items():
        if isinstance(kind, pl.Datetime):
            column = pl.col(name)
            zoned = kind.time_zone is not None
            if zoned:
                column = column.dt.convert_time_zone("UTC")
            texts.append(column.dt.strftime(f"{_ISO}Z" if zoned else _ISO))
    return rows.with_columns(texts)
