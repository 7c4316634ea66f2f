"""What PyIceberg keeps to itself and Headwater uses: all of it, each part with why.

Another version may change it without a word: so the range in pyproject.toml ends at the next minor
version, and tests/unit/project/test_private_parts.py tells what has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Lock
from typing import Any

import pyarrow as pa
from pyiceberg.catalog.rest import Capability, RestCatalog
from pyiceberg.io import FileIO
from pyiceberg.io.pyarrow import _dataframe_to_data_files, _pyarrow_to_schema_without_ids
from pyiceberg.manifest import DataFile, ManifestFile
from pyiceberg.schema import Schema
from pyiceberg.table import Table, Transaction
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.snapshots import Operation, Summary
from pyiceberg.table.update.snapshot import (
    ExpireSnapshots,
    _ManifestMergeManager,
    _OverwriteFiles,
)
from requests import Response, Session
from requests.adapters import HTTPAdapter

from pipeline.catalogs.rest import ANSWER_TIMEOUT_S, CONNECT_TIMEOUT_S
from pipeline.tables.data_files.manifests import due_merges, size_class


def write_data_files(metadata: TableMetadata, rows: pa.Table, io: FileIO) -> Iterator[DataFile]:
    """Write `rows` as data files by `metadata`'s columns, partitions and properties.

    `Table.append` would commit them, too, in a transaction of its own.
    """
    yield from _dataframe_to_data_files(table_metadata=metadata, df=rows, io=io)


def schema_without_ids(columns: pa.Schema) -> Schema:
    """Return `columns` as Iceberg's, each with the id -1.

    What is public wants ids in Arrow's own metadata, or a mapping of names to them.
    """
    return _pyarrow_to_schema_without_ids(columns)


def table_of(transaction: Transaction) -> Table:
    """Return the table that a transaction changes, refreshed by it after a commit that others won.

    What is public copies the table's metadata with all that is staged.
    """
    return transaction._table


def expire_snapshots(transaction: Transaction) -> ExpireSnapshots:
    """Return an expiry in `transaction`. `Table.maintenance` opens a transaction of its own."""
    return ExpireSnapshots(transaction)


_NEEDED = (
    Capability.V1_LIST_NAMESPACES,
    Capability.V1_CREATE_NAMESPACE,
    Capability.V1_LIST_TABLES,
    Capability.V1_CREATE_TABLE,
    Capability.V1_LOAD_TABLE,
    Capability.V1_UPDATE_TABLE,
)


class TimedRestCatalog(RestCatalog):
    """A REST catalog whose every request has a time limit, that for a token too; the library's have none."""

    def lacking(self) -> tuple[str, ...]:
        """Return what the server says that it does not do and tables need."""
        return tuple(str(one) for one in _NEEDED if one not in self._supported_endpoints)

    def _config_headers(self, session: Session) -> None:
        # The first thing that is done with each session.
        super()._config_headers(session)
        for scheme in ("http://", "https://"):
            session.mount(scheme, _TimedAdapter())


class _TimedAdapter(HTTPAdapter):
    def send(self, *args: Any, **kwargs: Any) -> Response:
        if kwargs.get("timeout") is None:
            kwargs["timeout"] = CONNECT_TIMEOUT_S, ANSWER_TIMEOUT_S
        return super().send(*args, **kwargs)


class ReplaceFiles(_OverwriteFiles):
    """A snapshot of other files, or of fewer. Merges manifests where there are many that are alike.

    What is public deletes by a filter on rows, and knows no operation `replace`.
    """

    def __init__(
        self,
        transaction: Transaction,
        io: FileIO,
        snapshot_properties: dict[str, str],
        min_manifests: int | None,
        operation: Operation,
    ) -> None:
        super().__init__(
            operation=Operation.OVERWRITE,
            transaction=transaction,
            io=io,
            snapshot_properties=snapshot_properties,
        )
        self._min_manifests = min_manifests
        self._named = operation

    def _validate_concurrency(self) -> None:
        # Rows that others append do not matter; that the old files are still there is checked when
        # their entries are looked up, at every attempt.
        pass

    def _build_manifest_evaluator(self, spec_id: int) -> Callable[[ManifestFile], bool]:
        # Threads share it, and it keeps the manifest that it looks at: without a lock, one that names an old
        # file may be passed over, as if the file were gone.
        evaluator, lock = super()._build_manifest_evaluator(spec_id), Lock()

        def may_match(manifest: ManifestFile) -> bool:
            with lock:
                return evaluator(manifest)

        return may_match

    def _process_manifests(self, manifests: list[ManifestFile]) -> list[ManifestFile]:
        # Those that name nothing but what others deleted: merged, they would make one without an entry.
        manifests = [
            one
            for one in manifests
            if one.has_added_files()
            or one.has_existing_files()
            or one.added_snapshot_id == self._snapshot_id
        ]
        if self._min_manifests is None:
            return manifests
        due = due_merges((one.manifest_length for one in manifests), self._min_manifests)
        left = [one for one in manifests if size_class(one.manifest_length) not in due]
        for at, size in due.items():
            merge = _ManifestMergeManager(
                target_size_bytes=size,
                min_count_to_merge=2,
                merge_enabled=True,
                snapshot_producer=self,
            )
            alike = [one for one in manifests if size_class(one.manifest_length) == at]
            left += merge.merge_manifests(alike)
        return left

    def _summary(self, snapshot_properties: dict[str, str] | None = None) -> Summary:
        # The library sums up appends, overwrites and deletes only.
        summed = super()._summary(snapshot_properties or {})
        return Summary(operation=self._named, **summed.additional_properties)
