"""Events made up from a contract alone: what its topic takes, and what its rules and reference data allow."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fastavro
import pytest

from headwater.produce.generated import Order, UnproducibleError, plan_records
from headwater.produce.model import REASONS, Kind, Planned, Shares
from headwater.produce.plausible import Plausible
from pipeline.avro.encode import unwrapped
from pipeline.contract.load import load_product
from pipeline.contract.model import Product
from pipeline.settings import PROJECT

NOW = datetime(2026, 3, 4, 15, 42, tzinfo=UTC)
START, END = 1_767_225_600_000_000, 1_767_232_800_000_000
FIELDS: list[dict[str, Any]] = [
    {"name": "id", "type": "string"},
    {"name": "device", "type": "long"},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    {"name": "state", "type": ["null", {"type": "enum", "name": "State", "symbols": ["on", "off"]}]},
    {"name": "level", "type": "double"},
    {"name": "code", "type": "string"},
    {"name": "colour", "type": "string"},
    {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 6, "scale": 2}},
    {"name": "day", "type": {"type": "int", "logicalType": "date"}},
    {"name": "tags", "type": {"type": "array", "items": "string"}},
    {"name": "counts", "type": {"type": "map", "values": "int"}},
    {"name": "hash", "type": {"type": "fixed", "name": "Hash", "size": 4}},
    {"name": "ok", "type": ["null", "boolean"]},
    {"name": "place", "type": {"type": "record", "name": "Place",
                               "fields": [{"name": "lat", "type": "float"}]}},
]  # fmt: skip
ODCS = {
    "id": "string", "device": "integer", "at": "timestamp", "state": "string", "level": "number",
    "code": "string", "colour": "string", "price": "number", "day": "date", "tags": "array",
    "counts": "object", "hash": "string", "ok": "boolean", "place": "object",
}  # fmt: skip
RULES = {
    "level": ("in_range", {"min_value": -5, "max_value": 5}),
    "code": ("str_length", {"exact_value": 8}),
}


@pytest.fixture
def readings(tmp_path: Path) -> Product:
    """A product without an envelope that has a field of every kind."""
    folder = tmp_path / "readings"
    (folder / "schemas").mkdir(parents=True)
    schema = {"type": "record", "name": "Reading", "fields": FIELDS}
    (folder / "schemas" / "payload.v1.avsc").write_text(json.dumps(schema))
    (folder / "contract.yaml").write_text(json.dumps(contract()))
    return load_product(folder)


def contract() -> dict[str, Any]:
    properties = [{"name": name, "logicalType": kind} for name, kind in ODCS.items()]
    for one in properties:
        if (rule := RULES.get(one["name"])) is not None:
            implementation = {"check": rule[0], "arguments": rule[1]}
            one["quality"] = [
                {"type": "custom", "engine": "pandera", "implementation": implementation}
            ]  # type: ignore[assignment]
        if one["name"] == "colour":
            one["examples"] = ["red", "green"]  # type: ignore[assignment]
    own = {
        "cells": ["us"], "key": "device", "eventTime": "at", "uuid": "id",
        "schemas": {"envelope": "none", "payload": ["schemas/payload.v1.avsc"]},
        "gates": {"freshness": "1m", "late": "1h"},
    }  # fmt: skip
    return {
        "apiVersion": "v3.1.0", "kind": "DataContract", "id": "urn:readings", "name": "readings",
        "version": "1.0.0", "status": "active", "domain": "test", "team": {"name": "test"},
        "description": {"purpose": "Readings."},
        "customProperties": [{"property": "headwater", "value": own}],
        "schema": [{"name": "readings", "physicalName": "readings", "physicalType": "topic",
                    "properties": properties}],
    }  # fmt: skip


def encoder(product: Product) -> Callable[[dict[str, Any]], Any]:
    """Return what a payload is after it went through Avro as fastavro has it."""
    schema = fastavro.parse_schema(unwrapped(product.payload_schema))

    def through(payload: dict[str, Any]) -> Any:
        out = io.BytesIO()
        fastavro.schemaless_writer(out, schema, payload)
        out.seek(0)
        return fastavro.schemaless_reader(out, schema, None)

    return through


@pytest.mark.parametrize(
    "folder",
    [
        PROJECT / "contracts" / "departures",
        PROJECT / "tests" / "data" / "contracts" / "strict_events",
        PROJECT / "headwater" / "project" / "template" / "contracts" / "orders",
    ],
    ids=lambda folder: folder.name,
)
def test_every_event_fits_its_schema_and_is_of_its_time(folder: Path) -> None:
    product = load_product(folder)
    events = Plausible(product, 1).events(START, END, 500)
    through = encoder(product)
    for event in events:
        assert START <= event.event_time < END
        read = through(event.payload)
        assert str(read[product.key]) == event.key
        at = read[product.event_time]
        assert abs((at - datetime.fromtimestamp(event.event_time / 1e6, UTC)).total_seconds()) < 1
    assert [event.event_time for event in events] == sorted(event.event_time for event in events)
    assert Plausible(product, 1).events(START, END, 500) == events
    assert Plausible(product, 2).events(START, END, 500) != events


def test_fields_have_what_examples_rules_and_types_allow(readings: Product) -> None:
    through = encoder(readings)
    events = [through(one.payload) for one in Plausible(readings, 1).events(START, END, 2_000)]
    assert all(-5 <= one["level"] <= 5 for one in events)
    assert {len(one["code"]) for one in events} == {8}
    assert {one["colour"] for one in events} == {"red", "green"}
    assert {one["state"] for one in events} == {"on", "off", None}
    assert len({one["id"] for one in events}) == 2_000
    assert 100 < len({one["device"] for one in events}) <= 1_000
    assert {0, 3} <= {len(one["tags"]) for one in events} <= {0, 1, 2, 3}
    assert 0.01 < sum(one["ok"] is None for one in events) / 2_000 < 0.06


def test_what_is_joined_on_is_in_the_reference_data() -> None:
    departures = load_product(PROJECT / "contracts" / "departures")
    events = Plausible(departures, 1).events(START, END, 300)
    assert {event.payload["origin"] for event in events} == {"EWR", "JFK", "LGA"}


def test_poison_without_an_envelope_is_what_ingest_would_refuse(readings: Product) -> None:
    order = Order(count=5_000, backfill_hours=2, shares=Shares(0.02, 0.02, 0.02), seed=3)
    planned: list[Planned] = [
        one for block in plan_records(readings, order, lambda: NOW) for one in block
    ]
    counts = Counter(one.kind for one in planned)
    assert sum(counts[kind] for kind in REASONS) == 100
    assert not counts[Kind.NULL_KEY]
    assert not counts[Kind.WRONG_ENVELOPE]
    assert counts[Kind.DUPLICATE] == 100
    for one in planned:
        assert one.event.payload["at"] == one.event.event_time // 1_000, "in the field's own unit"


def test_duplicates_need_something_that_tells_them() -> None:
    departures = load_product(PROJECT / "contracts" / "departures")
    with pytest.raises(UnproducibleError, match="names no `uuid`"):
        list(plan_records(departures, Order(count=10, shares=Shares(duplicates=0.1)), lambda: NOW))


def test_events_are_as_the_contract_wants_them(readings: Product) -> None:
    file = readings.folder / "contract.yaml"
    document = json.loads(file.read_text())
    document["customProperties"][0]["value"]["generate"] = {
        "keys": 5,
        "skew": 0,
        "fields": {
            "colour": {"values": ["blue", "black"], "weights": [9, 1]},
            "level": {"range": [2, 3]},
            "price": {"values": ["1.50", 2]},
            "ok": {"nulls": 0.5},
        },
    }
    file.write_text(json.dumps(document))
    events = Plausible(load_product(readings.folder), 7).events(START, END, 5_000)
    colours = Counter(one.payload["colour"] for one in events)
    assert set(colours) == {"blue", "black"}
    assert 0.85 < colours["blue"] / 5_000 < 0.95
    assert all(2 <= one.payload["level"] <= 3 for one in events)
    through = encoder(readings)
    assert {str(through(one.payload)["price"]) for one in events} == {"1.50", "2.00"}
    assert 0.45 < sum(one.payload["ok"] is None for one in events) / 5_000 < 0.55
    keys = Counter(one.key for one in events)
    assert max(keys.values()) - min(keys.values()) < 5_000 / 5, "without skew keys are alike"
