"""Reference data: small tables that events are joined to."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import polars as pl
import pyarrow as pa
from polars.exceptions import PolarsError

from pipeline.avro.logical_types import without_ignored
from pipeline.avro.schema import Schema
from pipeline.contract.model import Product, Reference
from pipeline.contract.references.file import Wanted, read_typed
from pipeline.errors import TerminalError


class Described(Protocol):
    """A reference, of a contract that is being read or has been."""

    @property
    def on(self) -> Sequence[str]:
        """Fields of the payload, and columns of the data, that are equal."""

    @property
    def columns(self) -> Sequence[str]:
        """Columns that events get."""

    @property
    def valid_from(self) -> str | None:
        """The column that says from when a row holds."""

    @property
    def types(self) -> Mapping[str, Any]:
        """Avro schemas of columns."""


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
    """Read one reference of `product`. In CSV files an empty value is null, and `NA` where no text key is.

    Raises:
        ReferenceDataError: the file is absent or unreadable, or its values are not of the payload's types.
    """
    try:
        path = locate(reference.source, product.folder)
        content = path.read_bytes()
        frame, problems = read_typed(path, content, wanted(product.payload_schema, reference))
        if problems:
            line = f" line {problems[0].line}," if problems[0].line else ""
            raise ValueError(f"{path.name},{line} {problems[0].column}: {problems[0].text}")
        distinct = list(reference.on)
        if reference.valid_from is not None:
            distinct.append(reference.valid_from)
        frame = frame.unique(distinct, keep="first", maintain_order=True)
    except (OSError, ValueError, PolarsError, pa.ArrowException) as error:
        raise ReferenceDataError(
            f"{reference.source} cannot be used: {error}.",
            subject=f"reference {product.name}.{reference.name}",
            remedy="Correct the file, or `source`, `on`, `columns`, `types` and `validFrom` in the contract.",
        ) from None
    return ReferenceTable(frame, hashlib.sha256(content).hexdigest())


def wanted(payload: Mapping[str, Any], reference: Described) -> Wanted:
    """Return what a contract says of the columns of a reference's file; `payload` is its newest schema."""
    schema = Schema(without_ignored(payload))
    root: Any = schema.root
    return Wanted(
        on={
            field["name"]: schema.standalone(field["type"])
            for field in root["fields"]
            if field["name"] in reference.on
        },
        columns=tuple(reference.columns),
        valid_from=reference.valid_from,
        types=reference.types,
    )
