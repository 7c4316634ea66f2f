"""The code location of the project's first product; its sensors are asked once, as Dagster asks them."""

from __future__ import annotations

import dagster as dg

from assets.definitions import build
from pipeline.contract.load import load_products
from pipeline.settings import load_settings
from resources.cell import CellResource

PRODUCT = load_products(load_settings().contracts)[0]
CELL = PRODUCT.cells[0]
REPOSITORY = build(CELL).get_repository_def()


def look(part: str, instance: dg.DagsterInstance, cursor: str | None = None) -> dg.SensorResult:
    """Return what the product's sensor `part` says."""
    context = dg.build_sensor_context(
        instance, cursor, repository_def=REPOSITORY, resources={"cell": CellResource(name=CELL)}
    )
    result = REPOSITORY.get_sensor_def(f"{CELL}__{PRODUCT.name}__{part}")(context)
    assert isinstance(result, dg.SensorResult)
    return result
