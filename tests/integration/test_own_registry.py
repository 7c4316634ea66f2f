"""A product whose schemas are in a registry over HTTP, from produce to the ledger."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import headwater
from tests.support.registry_server import ask, served
from tests.support.whole_way import assert_records_become_rows


def test_records_become_rows_by_the_schemas_of_a_registry_of_the_cells_own(
    cell: headwater.Cell, strict_product: headwater.Product, tmp_path: Path
) -> None:
    with served(tmp_path / "there.db") as url:
        own = replace(cell, schema_registry={"url": url})
        assert_records_become_rows(own, strict_product)
        assert strict_product.value_subject in ask(url, "GET", "/subjects")[1]
    assert not cell.registry_db.exists()
