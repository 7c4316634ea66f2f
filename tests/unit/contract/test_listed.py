"""Which schemas a contract speaks for: those it lists, in any words, and what has nothing more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.contract.listed_schemas import ListedSchemas
from tests.support.versions import payload_schema, versions_product


def _f(name: str) -> dict[str, Any]:
    return {"name": name, "type": "int"}


@pytest.fixture
def listed(tmp_path: Path) -> ListedSchemas:
    """The contract that lists versions 1 and 2."""
    return ListedSchemas(versions_product(tmp_path, "t", 2, envelope=False))


def renamed(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "name": "Q", "namespace": "elsewhere", "doc": "theirs"}


def without(schema: dict[str, Any], name: str) -> dict[str, Any]:
    return {**schema, "fields": [f for f in schema["fields"] if f["name"] != name]}


def test_its_own_versions_are_listed_in_any_words(listed: ListedSchemas) -> None:
    for version in (1, 2):
        assert listed.has(version, payload_schema(version))
        assert listed.has(version, renamed(payload_schema(version)))
        assert listed.has(7, renamed(payload_schema(version))), "under any number"


def test_a_version_with_more_is_not(listed: ListedSchemas) -> None:
    assert not listed.has(3, payload_schema(3))
    assert not listed.has(2, payload_schema(3)), "whatever number it says"
    assert not listed.has(0, payload_schema(3)), "nor under another subject"


def test_a_later_version_is_not_listed_though_it_has_less(listed: ListedSchemas) -> None:
    less = without(payload_schema(2), "dev")
    assert not listed.has(3, less)
    assert listed.has(0, less), "somebody else's schema loses nothing"


@pytest.mark.parametrize(
    "type_",
    [
        {"type": "enum", "name": "E", "symbols": ["A", "B"]},
        {"type": "array", "items": {"type": "record", "name": "I", "fields": [_f("a"), _f("b")]}},
        {"type": "map", "values": {"type": "record", "name": "V", "fields": [_f("a"), _f("b")]}},
        ["null", {"type": "record", "name": "U", "fields": [_f("a"), _f("b")]}],
    ],
)
def test_what_is_more_is_seen_at_every_depth(tmp_path: Path, type_: Any) -> None:
    def holding(held: Any) -> dict[str, Any]:
        schema = payload_schema(1)
        return {**schema, "fields": [*schema["fields"], {"name": "x", "type": held}]}

    less = json.loads(
        json.dumps(type_).replace(', "B"', "").replace(f", {json.dumps(_f('b'))}", "")
    )
    product = versions_product(tmp_path, "t", 1, envelope=False)
    listed = ListedSchemas(product.model_copy(update={"payload_schemas": (holding(less),)}))
    assert listed.has(0, holding(less))
    assert not listed.has(0, holding(type_))


def test_a_type_that_holds_itself_and_what_is_no_schema_end(listed: ListedSchemas) -> None:
    node = {"type": "record", "name": "N", "fields": [{"name": "next", "type": ["null", "N"]}]}
    assert not listed.has(0, node)
    assert listed.has(0, {"type": "record", "name": "N", "fields": [{"name": "x", "type": "M"}]})
