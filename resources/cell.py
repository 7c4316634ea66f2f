"""The cell: where a code location's Kafka, catalog and warehouse are."""

from __future__ import annotations

import dagster as dg

from pipeline.cells import Cell, load_cell
from pipeline.settings import load_settings


class CellResource(dg.ConfigurableResource[Cell]):
    """Opens the cell `name` when a run or a sensor asks for it, and not when definitions load."""

    name: str

    def load(self) -> Cell:
        """Return the cell.

        Raises:
            CellNotFoundError: no such cell is configured under the home.
            CellInvalidError: its cell.json cannot be used.
        """
        return load_cell(load_settings().home, self.name)
