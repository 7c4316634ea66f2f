"""What lies in a warehouse, whatever a catalog knows of it: tables by their metadata files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pyarrow.fs import FileInfo, FileSelector, FileSystem, FileType
from pyiceberg.catalog import Catalog
from pyiceberg.io import FileIO, load_file_io
from pyiceberg.io.pyarrow import PyArrowFileIO

from pipeline.catalogs import s3
from pipeline.cells import Cell

PROPERTY = "headwater.warehouse"
"""Of an opened catalog: the URI of the warehouse, which a catalog of REST has another name for."""
_NAME = re.compile(r"(?:v(\d+)|(\d+)-[^/]+)\.metadata\.json")


@dataclass(frozen=True)
class Warehouse:
    """Where tables lie.

    Attributes:
        location: the URI of their folder, without a slash at its end.
        properties: what PyIceberg's FileIO is to be told to reach it; secrets among them.
    """

    location: str
    properties: Mapping[str, str] = field(default_factory=dict, repr=False)

    def io(self) -> FileIO:
        """Return what reads and writes its files."""
        return load_file_io(dict(self.properties), self.location)


@dataclass(frozen=True)
class MetadataFile:
    """A metadata file as its name tells it: Iceberg counts a table's `version` from 0, its creation."""

    location: str
    version: int


def warehouse_of(cell: Cell) -> Warehouse:
    """Return the cell's warehouse. Nothing is asked of it.

    Raises:
        WarehouseNotSupportedError: none can be there.
    """
    return Warehouse(cell.warehouse.rstrip("/"), s3.for_pyiceberg(cell))


def warehouse_behind(catalog: Catalog) -> Warehouse:
    """Return the warehouse of an opened catalog."""
    properties = catalog.properties
    location = properties.get(PROPERTY) or properties["warehouse"]
    return Warehouse(location.rstrip("/"), properties)


def metadata_files(warehouse: Warehouse, identifier: str) -> tuple[MetadataFile, ...]:
    """Return the metadata files of `namespace.table` that lie in the warehouse, oldest version first.

    Those of commits that never landed are among them. Opens none.

    Raises:
        OSError: the warehouse cannot be read.
        WarehouseRefusedError: there is no such bucket.
    """
    namespace, _, name = identifier.partition(".")
    folder = f"{warehouse.location}/{namespace}/{name}/metadata"
    found = [
        MetadataFile(f"{folder}/{info.base_name}", version)
        for info in _list(warehouse, folder)
        if (version := version_of(info.base_name)) is not None
    ]
    return tuple(sorted(found, key=lambda one: (one.version, one.location)))


def has_history(warehouse: Warehouse, identifier: str) -> bool:
    """Return whether metadata of a commit to the table lie in the warehouse.

    Its creation alone, version 0, is none: there are no rows yet, and another process may be about to
    enter it into the catalog.
    """
    return any(one.version for one in metadata_files(warehouse, identifier))


def tables_with_history(warehouse: Warehouse, namespace: str | None = None) -> tuple[str, ...]:
    """Return the tables of the warehouse, or of one namespace, that `has_history` is true of, sorted."""
    root = warehouse.location
    namespaces = [namespace] if namespace else _folders(warehouse, root)
    return tuple(
        identifier
        for one in namespaces
        for name in _folders(warehouse, f"{root}/{one}")
        if has_history(warehouse, identifier := f"{one}.{name}")
    )


def version_of(location: str) -> int | None:
    """Return the version of a metadata file, by its name; None of any other file."""
    match = _NAME.fullmatch(location.rpartition("/")[2])
    if match is None:
        return None
    # Catalogs that name files as Hadoop's does count from 1.
    return int(match[2]) if match[2] else int(match[1]) - 1


def _folders(warehouse: Warehouse, location: str) -> list[str]:
    found = _list(warehouse, location)
    return sorted(one.base_name for one in found if one.type is FileType.Directory)


def _list(warehouse: Warehouse, location: str) -> list[FileInfo]:
    # As PyIceberg finds files: it takes a URI's path as it is written.
    scheme, netloc, path = PyArrowFileIO.parse_location(location)
    filesystem = PyArrowFileIO(dict(warehouse.properties)).fs_by_scheme(scheme, netloc)
    try:
        found: list[FileInfo] = filesystem.get_file_info(FileSelector(path, allow_not_found=True))
    except FileNotFoundError:
        # It was made just after it was found missing, which Arrow takes for a folder that cannot be listed.
        return []
    if not found and s3.is_s3(location):
        _check_bucket(filesystem, netloc, location)
    return found


def _check_bucket(filesystem: FileSystem, bucket: str, subject: str) -> None:
    # What lies in a bucket that is not there, Arrow says, is nothing.
    if filesystem.get_file_info(bucket).type is FileType.NotFound:
        raise s3.no_bucket(bucket, subject)
