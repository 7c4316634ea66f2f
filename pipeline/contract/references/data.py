"""Reference data: small tables that events are joined to."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import polars as pl
import pyarrow as pa
from polars.exceptions import PolarsError

from pipeline.contract.model import Product, Reference
from pipeline.contract.references.csv_file import NULL
from pipeline.contract.references.declared import locate, wanted
from pipeline.contract.references.file import Read, read_columns
from pipeline.errors import TerminalError
from pipeline.rows.columns import infer_type, series
from pipeline.rows.converted import Converted


class ReferenceDataError(TerminalError):
    """Reference data cannot be read."""


@dataclass(frozen=True)
class ReferenceTable:
    """Reference data, whole in memory.

    Attributes:
        frame: its columns; those joined on have the types that the payload gives them, the contract's
            `validFrom` column is an instant in UTC. No two rows hold for equal keys from the same time:
            the file's first counts.
        version: SHA-256 of the file's bytes, in hexadecimal.
    """

    frame: pl.DataFrame
    version: str


def load_reference(product: Product, reference: Reference) -> ReferenceTable:
    """Read one reference of `product`. In CSV files an empty value is null, and `NA` where no text key is.

    Raises:
        ReferenceDataError: the file is absent or unreadable, or its values are not of the payload's types.
    """
    try:
        path = locate(reference.source, product.folder)
        content = path.read_bytes()
        read = read_columns(path, content, wanted(product.payload_schema, reference))
        if read.problems:
            problem = read.problems[0]
            line = f" line {problem.line}," if problem.line else ""
            raise ValueError(f"{path.name},{line} {problem.column}: {problem.text}")
        distinct = list(reference.on)
        if reference.valid_from is not None:
            distinct.append(reference.valid_from)
        frame = _frame(read).unique(distinct, keep="first", maintain_order=True)
    except (OSError, ValueError, PolarsError, pa.ArrowException) as error:
        raise ReferenceDataError(
            f"{reference.source} cannot be used: {error}.",
            subject=f"reference {product.name}.{reference.name}",
            remedy="Correct the file, or `source`, `on`, `columns`, `types` and `validFrom` in the contract.",
        ) from None
    return ReferenceTable(frame, hashlib.sha256(content).hexdigest())


def _frame(read: Read) -> pl.DataFrame:
    columns: dict[str, pl.Series] = {}
    for name, column in read.columns.items():
        if isinstance(column, Converted):
            columns[name] = series(column)
        elif read.of_texts:
            columns[name] = infer_type(pl.Series(column).replace(NULL, None))
        else:
            columns[name] = pl.Series(column)
    return pl.DataFrame(columns)
