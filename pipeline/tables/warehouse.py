"""What lies in a warehouse, whatever a catalog knows of it: tables by their metadata files."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pyarrow.fs import FileInfo, FileSelector, FileType
from pyiceberg.io.pyarrow import PyArrowFileIO

_NAME = re.compile(r"(\d+)-[^/]+\.metadata\.json")


@dataclass(frozen=True)
class MetadataFile:
    """A metadata file as its name tells it: Iceberg counts a table's `version` from 0, its creation."""

    location: str
    version: int


def metadata_files(warehouse: str, identifier: str) -> tuple[MetadataFile, ...]:
    """Return the metadata files of `namespace.table` that lie in the warehouse, oldest version first.

    Those of commits that never landed are among them. Opens none.

    Raises:
        OSError: the warehouse cannot be read.
    """
    namespace, _, name = identifier.partition(".")
    folder = f"{warehouse.rstrip('/')}/{namespace}/{name}/metadata"
    found = [
        MetadataFile(f"{folder}/{info.base_name}", int(match[1]))
        for info in _list(folder)
        if (match := _NAME.fullmatch(info.base_name))
    ]
    return tuple(sorted(found, key=lambda one: (one.version, one.location)))


def has_history(warehouse: str, identifier: str) -> bool:
    """Return whether metadata of a commit to the table lie in the warehouse.

    Its creation alone, version 0, is none: there are no rows yet, and another process may be about to
    enter it into the catalog.
    """
    return any(one.version for one in metadata_files(warehouse, identifier))


def tables_with_history(warehouse: str, namespace: str | None = None) -> tuple[str, ...]:
    """Return the tables of the warehouse, or of one namespace, that `has_history` is true of, sorted."""
    root = warehouse.rstrip("/")
    namespaces = [namespace] if namespace else _folders(root)
    return tuple(
        identifier
        for one in namespaces
        for name in _folders(f"{root}/{one}")
        if has_history(warehouse, identifier := f"{one}.{name}")
    )


def _folders(location: str) -> list[str]:
    return sorted(one.base_name for one in _list(location) if one.type is FileType.Directory)


def _list(location: str) -> list[FileInfo]:
    # As PyIceberg finds files: it takes a URI's path as it is written.
    scheme, netloc, path = PyArrowFileIO.parse_location(location)
    filesystem = PyArrowFileIO().fs_by_scheme(scheme, netloc)
    try:
        found: list[FileInfo] = filesystem.get_file_info(FileSelector(path, allow_not_found=True))
    except FileNotFoundError:
        # It was made just after it was found missing, which Arrow takes for a folder that cannot be listed.
        return []
    return found
