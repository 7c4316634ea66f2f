"""Reference data: small tables that events are joined to."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import polars as pl
import pyarrow as pa
from polars.exceptions import PolarsError

from pipeline.contract.model import Product, Reference
from pipeline.contract.targets import arrow
from pipeline.errors import TerminalError
from pipeline.tables.layout import UTC_MICROS


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


def locate(source: str, folder: Path) -> Path:
    """Return the file that a reference's `source` names.

    Raises:
        ValueError: it is not `file:...` or `package:...`, or there is no such package or file.
    """
    scheme, _, rest = source.partition(":")
    if scheme == "file" and rest:
        path = folder / rest
        if not path.resolve().is_relative_to(folder.resolve()):
            raise ValueError(f"a file in the contract's folder, not {rest!r}")
    elif scheme == "package" and "/" in rest:
        package, _, inside = rest.partition("/")
        # The package's own code is not run: it may load all of its data.
        found = find_spec(package) if package.isidentifier() else None
        if found is None or not found.submodule_search_locations:
            raise ValueError(f"an installed package, not {package!r}")
        path = Path(found.submodule_search_locations[0], inside)
    else:
        raise ValueError(f"file:<path> or package:<package>/<path>, not {source!r}")
    if path.suffix not in (".csv", ".parquet"):
        raise ValueError(f"a .csv or .parquet file, not {path.name!r}")
    if not path.is_file():
        raise ValueError(f"a file that exists, not {rest!r}")
    return path


def load_reference(product: Product, reference: Reference) -> ReferenceTable:
    """Read one reference of `product`. In CSV files an empty value and `NA` are null.

    Raises:
        ReferenceDataError: the file is absent, unreadable, or its values are not of the payload's types.
    """
    try:
        path = locate(reference.source, product.folder)
        content = path.read_bytes()
        frame = read_frame(path, content)
        types = {field.name: field.type for field in arrow.fields(product.payload_schema)}
        frame = frame.with_columns(_typed(frame[name], types[name]) for name in reference.on)
        distinct = list(reference.on)
        if reference.valid_from is not None:
            frame = frame.with_columns(instants(frame[reference.valid_from]))
            distinct.append(reference.valid_from)
        frame = frame.unique(distinct, keep="first", maintain_order=True)
    except (OSError, ValueError, PolarsError) as error:
        raise ReferenceDataError(
            f"{reference.source} cannot be used: {error}.",
            subject=f"reference {product.name}.{reference.name}",
            remedy="Correct the file, or `source`, `on`, `columns` and `validFrom` in the contract.",
        ) from None
    return ReferenceTable(frame, hashlib.sha256(content).hexdigest())


def read_frame(path: Path, content: bytes) -> pl.DataFrame:
    """Return the table in `content`, by the suffix of `path`; types are inferred from all rows of a CSV."""
    if path.suffix == ".parquet":
        return pl.read_parquet(io.BytesIO(content))
    return pl.read_csv(io.BytesIO(content), null_values=["NA"], infer_schema_length=None)


def instants(values: pl.Series) -> pl.Series:
    """Return times as instants in UTC, to the microsecond: from ISO 8601 text or a column of times.

    Times without an offset are UTC; null stays null.

    Raises:
        PolarsError: a value is no time.
    """
    return _typed(values, UTC_MICROS)


def _typed(values: pl.Series, type_: pa.DataType) -> pl.Series:
    wanted = pl.Series(pa.array([], type_)).dtype
    if values.dtype == pl.String and isinstance(wanted, pl.Datetime):
        return values.str.to_datetime(time_unit=wanted.time_unit, time_zone=wanted.time_zone)
    if values.dtype == pl.String and wanted == pl.Date:
        return values.str.to_date()
    return values.cast(wanted)
