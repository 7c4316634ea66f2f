"""A product whose schemas are in a registry over HTTP, from produce to the ledger."""

from __future__ import annotations

import uuid
from dataclasses import replace
from pathlib import Path

import headwater
from tests.support.registry_server import ask, served

AT = 1_780_000_000_000_000


def test_records_become_rows_by_the_schemas_of_a_registry_of_the_cells_own(
    cell: headwater.Cell, strict_product: headwater.Product, tmp_path: Path
) -> None:
    with served(tmp_path / "there.db") as url:
        own = replace(cell, schema_registry={"url": url})
        headwater.ensure_topic(own, strict_product)
        registry = headwater.open_registry(own)
        with headwater.EventWriter(own, strict_product, registry) as writer:
            for value in range(5):
                payload = {"sensor": "attic", "at": AT, "value": value, "note": None}
                writer.send(payload, key="attic", event_time=AT, uuid=str(uuid.uuid4()))
        report = headwater.ingest(own, strict_product, once=True)
        assert (report.rows, report.dead_letters) == (5, 0)
        assert headwater.verify_ledger(own, strict_product).balanced
        assert strict_product.value_subject in ask(url, "GET", "/subjects")[1]
    assert not cell.registry_db.exists()
