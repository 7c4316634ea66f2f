"""Contracts that grow, in each format: rows of every version have what their records said."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pipeline.cells import Cell
from pipeline.contract.load import load_product
from pipeline.contract.model import Product
from pipeline.schemas.registration import register_protobuf
from pipeline.schemas.registry import Registry
from pipeline.schemas.sqlite import SqliteRegistry
from pipeline.tables.catalog import load_table
from tests.decoder.registry import Schemas
from tests.evolution.engine import NOW_MS, Engine, write_contract
from tests.evolution.grown import (
    VALUES,
    VERSIONS,
    Encode,
    Schema,
    change,
    in_json,
    in_protobuf,
    in_registry,
    in_single_object,
    record,
)

FORMATS: Mapping[str, tuple[Mapping[str, str], Encode]] = {
    "avro": ({}, in_registry),
    "single object": ({"framing": "singleObject"}, in_single_object),
    "json": ({"format": "json"}, in_json),
    "debezium avro": ({"envelope": "debezium"}, in_registry),
    "debezium json": ({"envelope": "debezium", "format": "json"}, in_json),
    "protobuf": ({"format": "protobuf"}, in_protobuf),
}
UNNUMBERED = {"json", "debezium json", "protobuf"}
"""Formats whose records do not say a version of the contract: all are of the newest that it lists."""


def registry_of(product: Product, schemas: list[Schema], folder: Path) -> Registry:
    """Return a registry that gives the schema of version N the id N."""
    if product.topic.format != "protobuf":
        return Schemas(dict(enumerate(schemas, 1)), range(1, len(schemas) + 1))
    registry = SqliteRegistry(folder / "registry.db")
    assert register_protobuf(registry, product).id == len(schemas)
    return registry


@pytest.mark.parametrize("form", FORMATS)
def test_rows_of_every_version_have_what_their_records_said(
    quiet_cell: Cell, tmp_path: Path, form: str
) -> None:
    said, encode = FORMATS[form]
    is_change = "envelope" in said
    schemas = [(change if is_change else record)(fields) for fields in VERSIONS]
    engine = Engine(quiet_cell, tmp_path / "grown")
    sent: list[tuple[int, dict[str, Any]]] = []
    for listed in range(1, len(schemas) + 1):
        folder = write_contract(engine.folder, schemas[:listed], **said)
        if is_change:
            contract = folder / "contract.yaml"
            contract.write_text(
                contract.read_text().replace('"eventTime": "at"', '"eventTime": "ts_ms"')
            )
        product = load_product(folder)
        values = []
        for number in range(1, listed + 1):
            own = {"id": f"{listed}-{number}", "at": NOW_MS * 1000, **VALUES[number - 1]}
            sent.append((number, own))
            rows = {"before": None, "after": own, "op": "c", "ts_ms": NOW_MS}
            values.append(encode(number, schemas[number - 1], rows if is_change else own))
        registry = registry_of(product, schemas[:listed], tmp_path)
        _, letters = engine.land_values(product, registry, values)
        assert letters == []
    found = load_table(quiet_cell, "grown.events").scan().to_arrow().to_pylist()
    for (number, own), read in zip(
        sent, sorted(found, key=lambda one: int(one["_offset"])), strict=True
    ):
        held = read["after"] if is_change else read
        assert (held["id"], held["state"]) == (own["id"], own["state"])
        assert held["n"] == own["n"]
        assert held["tags"] == own.get("tags")
        if (given := own.get("part")) is not None and int(own["id"][0]) < len(VERSIONS):
            assert held["part"]["q"] == given["q"]
            assert held["part"]["w"] == given.get("w")
        assert read["_schema_version"] == (int(own["id"][0]) if form in UNNUMBERED else number)
