"""Schemas named by the registry's ids."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.impact.schema_version import SchemaIdUnknownError, version_of_id
from pipeline.schemas.open import open_registry
from tests.support.products import own_product


@pytest.fixture
def strict_product(tmp_path: Path) -> Product:
    return own_product("strict_events", tmp_path)


def test_an_id_is_the_version_that_has_it(quiet_cell: Cell, strict_product: Product) -> None:
    registry = open_registry(quiet_cell)
    first = strict_product.payload_schema
    second = {**first, "fields": [*first["fields"], {"name": "x", "type": "int", "default": 0}]}
    registry.register("another", {"type": "string"})
    ids = [
        registry.register(strict_product.payload_subject, schema).id for schema in (first, second)
    ]
    assert [version_of_id(registry, strict_product, one) for one in ids] == [1, 2]
    with pytest.raises(
        SchemaIdUnknownError, match=rf"{ids[0]} \(version 1\), {ids[1]} \(version 2\)"
    ):
        version_of_id(registry, strict_product, 1)


def test_no_id_is_known_of_what_was_never_registered(
    quiet_cell: Cell, strict_product: Product
) -> None:
    with pytest.raises(SchemaIdUnknownError, match="Name one of these: none"):
        version_of_id(open_registry(quiet_cell), strict_product, 1)
