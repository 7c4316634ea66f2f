"""The health of every product that the stack's cells hold."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.cells import load_cell
from pipeline.contract.folders import contract_folders
from pipeline.contract.load import derived_of, load_product
from pipeline.errors import HeadwaterError
from pipeline.settings import Settings
from quality.health import Health, IngestState
from quality.measure_health import measure_health


def products_health(settings: Settings, cells: Iterable[str]) -> tuple[Health, ...]:
    """Return how every product in `cells` is, by name; also where its contract cannot be read."""
    found: list[Health] = []
    for folder in contract_folders(settings.contracts):
        for cell in cells:
            try:
                if derived_of(folder) is not None:
                    continue
                product = load_product(folder)
                if cell in product.cells:
                    found.append(measure_health(load_cell(settings.home, cell), product))
            except HeadwaterError as error:
                unread = (str(error),)
                found.append(Health(folder.name, cell, None, IngestState.ABSENT, unread=unread))
    return tuple(found)
