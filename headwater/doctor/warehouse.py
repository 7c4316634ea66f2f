"""The warehouse: whether it can be listed and written to."""

from __future__ import annotations

import uuid
from pathlib import Path

from pyiceberg.io import load_file_io
from pyiceberg.io.pyarrow import PyArrowFileIO

from headwater.doctor.folders import try_folder
from headwater.doctor.model import Finding, Setup, well
from pipeline.cells import Cell
from pipeline.tables.errors import named_errors
from pipeline.tables.warehouse import tables_with_history

WAREHOUSE = "warehouse"


def ask(setup: Setup) -> tuple[Finding, ...]:
    """List it, write a file there and remove it. What tables of it need is not read."""
    cell = setup.cell
    scheme, _, path = PyArrowFileIO.parse_location(cell.warehouse)
    if scheme == "file":
        how = try_folder(Path(path), WAREHOUSE)
    else:
        probe = f"{cell.warehouse.rstrip('/')}/.headwater-doctor-{uuid.uuid4().hex}"
        with named_errors(f"{cell.name}, {cell.warehouse}", cell.warehouse):
            io = load_file_io(location=probe)
            with io.new_output(probe).create() as file:
                file.write(b"headwater doctor")
            io.delete(probe)
        how = "it can be written to."
    return (well(WAREHOUSE, cell.warehouse, f"{how[:-1]}; tables: {len(tables_in(cell))}."),)


def tables_in(cell: Cell) -> tuple[str, ...]:
    """Return the tables that lie in the cell's warehouse, whatever its catalog knows of them.

    Raises:
        WarehouseUnavailableError: it cannot be read.
    """
    with named_errors(f"{cell.name}, {cell.warehouse}"):
        return tables_with_history(cell.warehouse)
