"""What contracts say of reference data: where it is, and what its columns are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from pipeline.avro.logical_types import without_ignored
from pipeline.avro.schema import Schema
from pipeline.contract.references.file import Wanted


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
