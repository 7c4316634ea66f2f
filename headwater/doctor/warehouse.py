"""The warehouse: whether it can be listed and written to."""

from __future__ import annotations

import uuid
from pathlib import Path

from pyiceberg.io.pyarrow import PyArrowFileIO

from headwater.doctor.folders import try_folder
from headwater.doctor.model import Finding, Setup, well
from pipeline.cells import Cell
from pipeline.tables.errors import named_errors
from pipeline.tables.warehouse import tables_with_history, warehouse_of

WAREHOUSE = "warehouse"


def ask(setup: Setup) -> tuple[Finding, ...]:
    """List it, write a file there and remove it; beside a REST catalog, list it. Reads no file."""
    cell = setup.cell
    scheme, _, path = PyArrowFileIO.parse_location(cell.warehouse)
    if scheme == "file":
        how = try_folder(Path(path), WAREHOUSE)
        count = len(tables_in(cell))
    else:
        # A store tells more of why it lets nobody list than of why nobody may write.
        count = len(tables_in(cell))
        how = "it can be listed."
        # Beside tables a catalog's own store may let nobody write.
        if not cell.catalog:
            _write(cell)
            how = "it can be written to."
    return (well(WAREHOUSE, cell.warehouse, f"{how[:-1]}; tables: {count}."),)


def tables_in(cell: Cell) -> tuple[str, ...]:
    """Return the tables that lie in the cell's warehouse, whatever its catalog knows of them.

    Raises:
        WarehouseUnavailableError: it cannot be read.
    """
    with named_errors(f"{cell.name}, {cell.warehouse}"):
        return tables_with_history(warehouse_of(cell))


def _write(cell: Cell) -> None:
    probe = f"{cell.warehouse.rstrip('/')}/.headwater-doctor-{uuid.uuid4().hex}"
    with named_errors(f"{cell.name}, {cell.warehouse}", cell.warehouse):
        io = warehouse_of(cell).io()
        with io.new_output(probe).create() as file:
            file.write(b"headwater doctor")
        io.delete(probe)
