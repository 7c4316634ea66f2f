"""The warehouse: whether it can be listed and written to."""

from __future__ import annotations

import uuid
from pathlib import Path

from pyiceberg.io.pyarrow import PyArrowFileIO

from headwater.doctor.folders import try_folder
from headwater.doctor.model import Finding, Setup, well
from pipeline.tables.errors import named_errors
from pipeline.tables.warehouse import tables_with_history, warehouse_of

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
            io = warehouse_of(cell).io()
            with io.new_output(probe).create() as file:
                file.write(b"headwater doctor")
            io.delete(probe)
        how = "it can be written to."
    with named_errors(f"{cell.name}, {cell.warehouse}"):
        count = len(tables_with_history(warehouse_of(cell)))
    return (well(WAREHOUSE, cell.warehouse, f"{how[:-1]}; tables: {count}."),)
