"""Drawing whole contracts, and writing them as folders."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from tests.round_trip.avro import NotUnderstoodError, resolve
from tests.round_trip.schemas import Named, fields, types

PRODUCTS = ("p", "select", "default", "table", "x1_", "order", "orders", "n" * 40, "system")
ENVELOPE_FIELDS = [
    {"name": "uuid", "type": "string"},
    {"name": "key", "type": "string"},
    {"name": "schema_version", "type": "int"},
    {"name": "timestamp", "type": {"type": "long", "logicalType": "timestamp-micros"}},
    {"name": "payload", "type": "bytes"},
]
KEY_TYPES = ("string", "int", "long", {"type": "enum", "name": "KeyEnum", "symbols": ["a", "B"]})
ODCS = {
    "boolean": "boolean",
    **dict.fromkeys(("int", "long"), "integer"),
    **dict.fromkeys(("float", "double", "decimal"), "number"),
    "array": "array",
    "map": "map",
    "record": "object",
    "date": "date",
    **{
        f"{local}timestamp-{unit}": "timestamp"
        for local in ("", "local-")
        for unit in ("micros", "millis")
    },
}
"""Type or logical type -> ODCS's word for it; of all others it is `string`."""
AGES = "4000000d"
"""So far apart that every event is fresh: of the years 1 to 9999."""


@dataclass
class Contract:
    """A contract folder as it is to be: the document and its schemas, all of which may be wrong.

    Attributes:
        name: the product's.
        document: contract.yaml.
        payload, envelope: Avro records; no envelope is None.
        settings: Headwater's own, within `document`.
    """

    name: str
    document: dict[str, Any]
    payload: Any
    envelope: Any
    settings: dict[str, Any]

    @property
    def topic(self) -> str:
        """The topic's name."""
        return str(self.document["schema"][0]["physicalName"])

    def write(self, contracts: Path) -> Path:
        """Write the folder under `contracts`."""
        folder = contracts / self.name
        (folder / "schemas").mkdir(parents=True)
        (folder / "contract.yaml").write_text(json.dumps(self.document, indent=1))
        (folder / "schemas" / "payload.avsc").write_text(json.dumps(self.payload, indent=1))
        if self.envelope is not None:
            text = json.dumps(self.envelope, indent=1)
            (folder / "schemas" / "envelope.avsc").write_text(text)
        return folder


@st.composite
def contracts(draw: st.DrawFn) -> Contract:
    """Draw a contract that the check passes."""
    named = Named()
    space = draw(st.sampled_from(["", "", "com.example"]))
    made = draw(fields(named, space, draw(st.sampled_from([1, 2, 2, 3])), st.integers(0, 6)))
    taken = {one["name"].lower() for one in made}
    free = [name for name in ("key", "k", "select", "Key1") if name.lower() not in taken]
    key = {"name": free[0], "type": draw(_nullable(st.sampled_from(KEY_TYPES)))}
    at = next(name for name in ("timestamp", "at", "event_time_") if name not in taken)
    unit = draw(st.sampled_from(["timestamp-micros", "timestamp-millis"]))
    time = {"name": at, "type": draw(_nullable(st.just({"type": "long", "logicalType": unit})))}
    added = [key, time]
    uuid = None
    enveloped = draw(st.booleans())
    if not enveloped and draw(st.booleans()) and "id" not in taken:
        uuid = "id"
        added.append({"name": uuid, "type": draw(_nullable(st.just("string")))})
    for one in added:
        # The others stay in order: some name types that those before them define.
        made.insert(draw(st.integers(0, len(made))), one)
    payload = {"type": "record", "name": "Payload", "fields": made}
    if space:
        payload["namespace"] = space
    envelope = draw(_envelopes()) if enveloped else None
    name = draw(st.sampled_from(PRODUCTS))
    settings = {
        "cells": ["us"],
        "key": key["name"],
        "eventTime": at,
        "schemas": {
            "envelope": "schemas/envelope.avsc" if enveloped else "none",
            "payload": ["schemas/payload.avsc"],
        },
        "topic": {"partitions": 1, "replication": 1, "history": True, "retention": "forever"},
        "gates": {"payload": "8MB", "freshness": AGES, "ahead": AGES},
    }
    if uuid is not None:
        settings["uuid"] = uuid
    return Contract(name, document(name, payload, settings), payload, envelope, settings)


def document(name: str, payload: Any, settings: dict[str, Any]) -> dict[str, Any]:
    """Return the document of a product of these settings, with a property for each field of `payload`."""
    return {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": f"urn:drawn:{name}",
        "name": name,
        "version": "1.0.0",
        "status": "active",
        "domain": "drawn",
        "description": {"purpose": "Is drawn."},
        "team": {"name": "drawn"},
        "customProperties": [{"property": "headwater", "value": settings}],
        "schema": [
            {
                "name": name,
                "physicalName": f"{name}.v1-X",
                "physicalType": "topic",
                "properties": _properties(payload),
            }
        ],
    }


def _properties(payload: Any) -> list[dict[str, Any]]:
    """Return a property for each field."""
    try:
        types_ = dict(resolve(payload).parts)
    except NotUnderstoodError:
        types_ = {}
    found = []
    for one in payload["fields"]:
        held = types_[one["name"]].held if one["name"] in types_ else None
        logical = ODCS.get(held.logical or held.kind, "string") if held else "string"
        said = {"name": one["name"], "logicalType": logical, "description": "Is drawn."}
        if logical == "map":
            # The standard's own rule.
            text = {"logicalType": "string"}
            said["map"] = {"key": {"name": "key", **text}, "value": {"name": "value", **text}}
        found.append(said)
    return found


@st.composite
def _nullable(draw: st.DrawFn, inner: st.SearchStrategy[Any]) -> Any:
    one = draw(inner)
    return draw(st.sampled_from([one, one, ["null", one], [one, "null"], [one]]))


@st.composite
def _envelopes(draw: st.DrawFn) -> Any:
    found = list(ENVELOPE_FIELDS)
    if draw(st.booleans()):
        found = draw(st.permutations(found))
    if draw(st.integers(0, 3)) == 0:
        found = [*found, {"name": "more", "type": draw(types(Named(), "", 1))}]
    name = draw(st.sampled_from(["Envelope", "Payload", "com.x.Envelope"]))
    return {"type": "record", "name": name, "fields": found}
