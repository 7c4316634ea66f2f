"""Contracts that grow, in each format: rows of every version have what their records said."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from pipeline.cells import Cell
from pipeline.contract.load import load_product
from pipeline.schemas import wire
from pipeline.tables.catalog import load_table
from tests.decoder.reference import encoded
from tests.evolution.engine import NOW_MS, Engine, write_contract
from tests.support.single_objects import single_object_of

Schema = dict[str, Any]
Encode = Callable[[int, Schema, Mapping[str, Any]], bytes]


def row(*fields: Mapping[str, Any], states: tuple[str, ...] = ("on", "off")) -> list[Any]:
    state = {"type": "enum", "name": "State", "symbols": [*states]}
    at = {"type": "long", "logicalType": "timestamp-micros"}
    own = [{"name": "id", "type": "string"}, {"name": "at", "type": at}]
    return [*own, {"name": "state", "type": state}, *fields]


def part(*fields: Mapping[str, Any]) -> Schema:
    held = {"type": "record", "name": "Part", "fields": [{"name": "q", "type": "long"}, *fields]}
    return {"name": "part", "type": held}


def optional(name: str, type_: Any) -> Schema:
    return {"name": name, "type": ["null", type_], "default": None}


STATES = ("on", "off", "paused")
TAGS = {"type": "array", "items": "string"}
VERSIONS = (
    row({"name": "n", "type": "int"}, part()),
    row({"name": "n", "type": "long"}, part(optional("w", "string")), states=STATES),
    row({"name": "n", "type": "long"}, optional("tags", TAGS), states=STATES),
)
"""A number that widens, a record and an enum that grow; a field that comes, and one that goes."""
VALUES: tuple[dict[str, Any], ...] = (
    {"state": "on", "n": 7, "part": {"q": 1}},
    {"state": "paused", "n": 2**40, "part": {"q": 2, "w": "ö"}},
    {"state": "off", "n": -(2**62), "tags": ["a", "b"]},
)


def record(fields: list[Any]) -> Schema:
    return {"type": "record", "name": "P", "fields": fields}


def change(fields: list[Any]) -> Schema:
    of = {"type": "record", "name": "Row", "fields": fields}
    rows = [optional("before", of), optional("after", "Row")]
    own = [{"name": "op", "type": "string"}, {"name": "ts_ms", "type": "long"}]
    return {"type": "record", "name": "Envelope", "fields": [*rows, *own]}


def in_json(_number: int, _schema: Schema, value: Mapping[str, Any]) -> bytes:
    return json.dumps(value).encode()


def in_registry(number: int, schema: Schema, value: Mapping[str, Any]) -> bytes:
    return wire.encode(number, encoded(schema, value))


def in_single_object(_number: int, schema: Schema, value: Mapping[str, Any]) -> bytes:
    return single_object_of(schema, encoded(schema, value))


FORMATS: Mapping[str, tuple[Mapping[str, str], Encode]] = {
    "avro": ({}, in_registry),
    "single object": ({"framing": "singleObject"}, in_single_object),
    "json": ({"format": "json"}, in_json),
    "debezium avro": ({"envelope": "debezium"}, in_registry),
    "debezium json": ({"envelope": "debezium", "format": "json"}, in_json),
}


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
        _, letters = engine.land_values(product, schemas[:listed], values)
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
        assert read["_schema_version"] == (int(own["id"][0]) if "json" in form else number)
