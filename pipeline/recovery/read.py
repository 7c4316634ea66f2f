"""Reading what a warehouse has of tables, for a recovery to be planned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import ValidationError
from pyiceberg.io import FileIO
from pyiceberg.serializers import FromInputFile
from pyiceberg.table.metadata import TableMetadata

from pipeline.cells import Cell
from pipeline.disk import FileDamagedError, FileMissingError
from pipeline.ledger.archived import ARCHIVED_PROPERTY
from pipeline.recovery.model import FoundMetadata, FoundTable
from pipeline.tables.cached_catalog import metadata_location
from pipeline.tables.errors import named_errors
from pipeline.tables.integrity.readable import check_last_commit
from pipeline.tables.offsets import PROPERTY, CommittedOffsets
from pipeline.tables.warehouse import (
    MetadataFile,
    Warehouse,
    metadata_files,
    tables_with_history,
    warehouse_of,
)


def read_tables(
    cell: Cell, catalog: Catalog | None, product: str | None = None
) -> tuple[FoundTable, ...]:
    """Return every table of the warehouse, or of one product in it, that has a history. Changes nothing.

    `catalog` is the cell's, None where it has none now. Of metadata that nothing was made from yet it is
    looked whether the files of its commit are there.

    Raises:
        CatalogUnavailableError, WarehouseUnavailableError: try again later.
    """
    warehouse = warehouse_of(cell)
    with named_errors(f"{cell.name}, {cell.warehouse}"):
        return tuple(
            _read_table(catalog, warehouse, identifier)
            for identifier in tables_with_history(warehouse, product)
        )


def _read_table(catalog: Catalog | None, warehouse: Warehouse, identifier: str) -> FoundTable:
    namespace, _, name = identifier.partition(".")
    location = f"{warehouse.location}/{namespace}/{name}"
    registered = None if catalog is None else metadata_location(catalog, identifier)
    files = metadata_files(warehouse, identifier)
    if registered is not None:
        # Nothing is to be chosen.
        found = tuple(FoundMetadata(one.location, one.version) for one in files)
    else:
        io = warehouse.io()
        found = _checked([_read(io, file) for file in files], io, identifier)
    return FoundTable(identifier, location, registered, found)


def _read(io: FileIO, file: MetadataFile) -> FoundMetadata:
    try:
        metadata = FromInputFile.table_metadata(io.new_input(file.location))
        committed = metadata.properties.get(PROPERTY)
        offsets = {} if committed is None else CommittedOffsets.from_json(committed).next
        return FoundMetadata(
            file.location,
            file.version,
            table_uuid=str(metadata.table_uuid),
            table_location=metadata.location,
            base=metadata.metadata_log[-1].metadata_file if metadata.metadata_log else None,
            sequence_number=_sequence_number(metadata),
            updated_ms=metadata.last_updated_ms,
            offsets=sum(offsets.values()),
            archived_through=int(metadata.properties.get(ARCHIVED_PROPERTY, "0")),
        )
    except (ValueError, ValidationError):
        return FoundMetadata(file.location, file.version, "it was written in part, or is damaged")


def _sequence_number(metadata: TableMetadata) -> int:
    """Return that of main's last commit: those of stagings are not what the ledger counts by."""
    current = metadata.current_snapshot()
    return 0 if current is None else current.sequence_number or 0


def _checked(
    found: Sequence[FoundMetadata], io: FileIO, identifier: str
) -> tuple[FoundMetadata, ...]:
    """Return `found` with what the commits lack that nothing was made from: they may never have landed."""
    bases = {file.base for file in found}
    return tuple(
        file if file.problem or file.location in bases else _check(file, io, identifier)
        for file in found
    )


def _check(file: FoundMetadata, io: FileIO, identifier: str) -> FoundMetadata:
    metadata = FromInputFile.table_metadata(io.new_input(file.location))
    try:
        check_last_commit(metadata, io, identifier)
    except (FileMissingError, FileDamagedError) as error:
        return replace(file, problem=error.what)
    return file
