"""Making drawn contracts wrong, or odd: each either a mistake of the check, or as good as any other."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from tests.round_trip.contracts import Contract, contracts, document

DECIMAL = {"type": "bytes", "logicalType": "decimal"}
ODD_TYPES: tuple[Any, ...] = (
    *("null", ["null"], [], ["int", "string"], ["null", "int", "long"], [["null", "int"]]),
    *(
        [{"type": "null"}, "int"],
        ["null", {"type": "int"}, {"type": "null"}],
        "nothing",
        "",
        7,
        None,
        True,
    ),
    *({"type": "record", "name": "Empty", "fields": []}, {"type": "record", "name": "None"}),
    *({"type": "array"}, {"type": "map"}, {"items": "int"}, {"type": ["null", "int"]}),
    {"type": "record", "name": "Self", "fields": [{"name": "more", "type": ["null", "Self"]}]},
    {"type": "array", "items": {"type": "record", "name": "E2", "fields": []}},
    {
        "type": "record",
        "name": "F",
        "fields": [{"name": "a", "type": "int"}, {"name": "A", "type": "int"}],
    },
    {
        "type": "record",
        "name": "F",
        "fields": [{"name": "a", "type": "int"}, {"name": "a", "type": "int"}],
    },
    {"type": "record", "name": "F", "fields": [{"name": "a.b", "type": "int"}]},
    {"type": "record", "name": "F", "fields": [{"type": "int"}]},
    {"type": "record", "name": "F", "fields": ["int"]},
    {"type": "record", "name": "F-1", "fields": [{"name": "a", "type": "int"}]},
    {"type": "enum", "name": "E", "symbols": []},
    {"type": "enum", "name": "E", "symbols": ["A", "A"]},
    {"type": "enum", "name": "E", "symbols": ["a b", "1"]},
    {"type": "enum", "name": "E", "symbols": "AB"},
    {"type": "fixed", "name": "X", "size": 0},
    {"type": "fixed", "name": "X", "size": -1},
    {"type": "fixed", "name": "X", "size": "3"},
    {"type": "fixed", "name": "X", "size": 10**12},
    {"type": "fixed", "name": "Payload", "size": 3},
    DECIMAL,
    {**DECIMAL, "precision": 0},
    {**DECIMAL, "precision": 39},
    {**DECIMAL, "precision": 39, "scale": 39},
    {**DECIMAL, "precision": "9", "scale": 2},
    {**DECIMAL, "precision": 9.0},
    {**DECIMAL, "precision": True},
    {**DECIMAL, "precision": 4, "scale": 5},
    {**DECIMAL, "precision": 4, "scale": -1},
    {"type": "string", "logicalType": "decimal", "precision": 9},
    {"type": "double", "logicalType": "decimal", "precision": 9, "scale": 2},
    {"type": "fixed", "name": "X", "size": 2, "logicalType": "decimal", "precision": 9},
    {"type": "int", "logicalType": "timestamp-micros"},
    {"type": "string", "logicalType": "timestamp-millis"},
    {"type": "long", "logicalType": "date"},
    {"type": "string", "logicalType": "date"},
    {"type": "bytes", "logicalType": "uuid"},
    {"type": "fixed", "name": "X", "size": 15, "logicalType": "uuid"},
    {"type": "long", "logicalType": "time-millis"},
    {"type": "int", "logicalType": "time-millis"},
    {"type": "array", "items": {"type": "long", "logicalType": "time-micros"}},
    {"type": "int", "logicalType": "local-timestamp-micros"},
    {"type": "string", "logicalType": "local-timestamp-millis"},
    {"type": "long", "logicalType": 7},
    {"type": "string", "logicalType": None},
    {"type": "fixed", "name": "X", "size": 12, "logicalType": "duration"},
)
ODD_NAMES: tuple[Any, ...] = (
    *(
        "event_hour",
        "EVENT_HOUR",
        "_own",
        "_topic",
        "__row",
        "a.b",
        "a-b",
        "a b",
        "1a",
        "",
        "é",
        "名",
        "a`b",
    ),
    *(7, None, "x" * 5000, "a\nb", '"', "KEY", "Timestamp"),
)
ODD_DEFAULTS: tuple[Any, ...] = (None, "text", 7, 1e400, [], {}, True, "\u0100", [None], {"a": 1})
ODD_SETTINGS: tuple[tuple[str, Any], ...] = (
    *(("key", "nothing"), ("key", 7), ("eventTime", "key"), ("eventTime", None), ("uuid", "at")),
    *(
        ("cells", "us"),
        ("cells", []),
        ("cells", ["US"]),
        ("gates", []),
        ("gates", {"payload": "1 XB"}),
    ),
    *(("gates", {"freshness": "-1s"}), ("gates", {"late": "1s"}), ("topic", {"partitions": 0})),
    *(("topic", {"retention": "1d", "history": True}), ("topic", None), ("schemas", {})),
    *(
        ("schemas", {"envelope": "none", "payload": []}),
        ("schemas", {"envelope": "none", "payload": ["."]}),
    ),
    *(
        ("schemas", {"envelope": "x", "payload": ["../contract.yaml"]}),
        ("references", [{}]),
        ("more", 1),
    ),
)


@st.composite
def mutated(draw: st.DrawFn) -> Contract:
    """Draw a contract with one thing made wrong or odd."""
    found = copy.deepcopy(draw(contracts()))
    draw(st.sampled_from([_type, _type, _type, _name, _default, _twin, _setting, _property]))(
        draw, found
    )
    return found


def _field(draw: st.DrawFn, found: Contract) -> dict[str, Any]:
    field: dict[str, Any] = draw(st.sampled_from(found.payload["fields"]))
    return field


def _again(found: Contract) -> None:
    """Describe the payload as it is now."""
    found.document = document(found.name, found.payload, found.settings)


def _type(draw: st.DrawFn, found: Contract) -> None:
    wraps: list[Callable[[Any], Any]] = [
        lambda one: one,
        lambda one: one,
        lambda one: ["null", one],
        lambda one: {"type": "array", "items": one},
        lambda one: {"type": "map", "values": one},
        lambda one: {"type": "record", "name": "Holder", "fields": [{"name": "x", "type": one}]},
    ]
    odd = draw(st.sampled_from(wraps))(copy.deepcopy(draw(st.sampled_from(ODD_TYPES))))
    place = draw(st.integers(0, len(found.payload["fields"])))
    found.payload["fields"].insert(place, {"name": "odd", "type": odd})
    _again(found)


def _name(draw: st.DrawFn, found: Contract) -> None:
    odd = draw(st.sampled_from(ODD_NAMES))
    found.payload["fields"].insert(0, {"name": odd, "type": "int"})
    _again(found)


def _default(draw: st.DrawFn, found: Contract) -> None:
    _field(draw, found)["default"] = draw(st.sampled_from(ODD_DEFAULTS))


def _twin(draw: st.DrawFn, found: Contract) -> None:
    twin = copy.deepcopy(_field(draw, found))
    twin["type"] = "int"
    if draw(st.booleans()):
        twin["name"] = twin["name"].swapcase()
    found.payload["fields"].append(twin)
    _again(found)


def _setting(draw: st.DrawFn, found: Contract) -> None:
    key, value = draw(st.sampled_from(ODD_SETTINGS))
    found.settings[key] = value
    _again(found)


def _property(draw: st.DrawFn, found: Contract) -> None:
    properties = found.document["schema"][0]["properties"]
    one = draw(st.sampled_from(properties))
    change = draw(st.sampled_from(["type", "gone", "twice", "name", "more", "text"]))
    if change == "type":
        one["logicalType"] = draw(st.sampled_from(["boolean", "map", "nothing", 7, None]))
    elif change == "gone":
        properties.remove(one)
    elif change == "twice":
        properties.append(copy.deepcopy(one))
    elif change == "name":
        one["name"] = draw(st.sampled_from([7, None, "", "Key", "nothing"]))
    elif change == "more":
        one[draw(st.sampled_from(["required", "items", "unknown"]))] = True
    else:
        properties[properties.index(one)] = draw(st.sampled_from(["text", None, 7, []]))
