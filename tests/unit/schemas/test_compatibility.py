"""Compatibility as Avro's specification has it, as fastavro reads, and as Java Avro judges."""

from __future__ import annotations

import io
from typing import Any

import fastavro
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.avro.compatibility import IncompatibleSchemaError, check
from pipeline.avro.schema import Schema as Parsed
from pipeline.schemas.levels import require_level
from tests.support.avro_java import compatible
from tests.unit.schemas.avro_pairs import Schema, pairs, values

pytestmark = pytest.mark.java


def record(*fields: dict[str, Any], name: str = "R", **more: Any) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": list(fields), **more}


def field(name: str, type_: Schema, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": type_, **more}


def enum(*symbols: str, **more: Any) -> dict[str, Any]:
    return {"type": "enum", "name": "E", "symbols": list(symbols), **more}


def decimal(precision: int, scale: int) -> dict[str, Any]:
    return {"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale}


def fixed(size: int) -> dict[str, Any]:
    return {"type": "fixed", "name": "F", "size": size}


NODE = record(field("v", "int"), field("next", ["null", "Node"]), name="Node")
WIDE_NODE = record(field("v", "long"), field("next", ["null", "Node"]), name="Node")
TEXT_NODE = record(field("v", "string"), field("next", ["null", "Node"]), name="Node")

CASES: list[tuple[str, Schema, Schema, list[str]]] = [
    ("the same", "int", "int", []),
    ("int to long", "long", "int", []),
    ("int to double", "double", "int", []),
    ("string to bytes", "bytes", "string", []),
    ("bytes to string", "string", "bytes", []),
    ("long to int", "int", "long", ["/fields/f/type"]),
    ("int to string", "string", "int", ["/fields/f/type"]),
    ("null to int", "int", "null", ["/fields/f/type"]),
    ("to nullable", ["null", "int"], "int", []),
    ("to nullable and wider", ["null", "long"], "int", []),
    ("from nullable", "int", ["null", "int"], ["/fields/f/type"]),
    ("fewer branches", ["null", "int"], ["null", "int", "string"], ["/fields/f/type"]),
    ("more branches", ["null", "int", "string"], ["null", "int"], []),
    ("union to a wider type", "double", ["int", "float"], []),
    ("fewer symbols", enum("A"), enum("A", "B"), ["/fields/f/type/symbols"]),
    ("fewer symbols, default", enum("A", default="A"), enum("A", "B"), []),
    ("more symbols", enum("A", "B"), enum("A"), []),
    ("other size", fixed(3), fixed(4), ["/fields/f/type/size"]),
    ("items", {"type": "array", "items": "int"}, {"type": "array", "items": "long"},
     ["/fields/f/type/items"]),
    ("values", {"type": "map", "values": "long"}, {"type": "map", "values": "int"}, []),
    ("recursive", WIDE_NODE, NODE, []),
    ("recursive, narrower", TEXT_NODE, NODE, ["/fields/f/type/fields/v/type"]),
    ("record to string", "string", record(name="N"), ["/fields/f/type"]),
    ("within a nullable record", ["null", TEXT_NODE], ["null", NODE],
     ["/fields/f/type/1/fields/v/type"]),
    ("another name", record(name="N"), record(name="M"), ["/fields/f/type"]),
    ("another name, aliased", record(name="N", aliases=["M"]), record(name="M"), []),
    ("another namespace", record(name="a.N"), record(name="b.N"), []),
]  # fmt: skip


def java(reader: Schema, writer: Schema) -> bool:
    return compatible(reader, writer)[0]


@pytest.mark.parametrize(
    ("reader", "writer", "paths"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_types(reader: Schema, writer: Schema, paths: list[str]) -> None:
    outer_reader, outer_writer = record(field("f", reader)), record(field("f", writer))
    assert [one.path for one in check(outer_reader, outer_writer)] == paths
    assert java(outer_reader, outer_writer) is not bool(paths)


def test_a_new_field_needs_a_default() -> None:
    writer = record(field("a", "int"))
    without = record(field("a", "int"), field("b", "int"))
    with_default = record(field("a", "int"), field("b", "int", default=0))
    assert [str(one) for one in check(without, writer)] == [
        "/fields/b: not in the writer's schema, and has no default"
    ]
    assert check(with_default, writer) == ()
    assert java(with_default, writer)
    assert not java(without, writer)


def test_a_field_may_be_dropped_or_renamed_with_an_alias() -> None:
    writer = record(field("a", "int"), field("b", "int"))
    assert check(record(field("a", "int")), writer) == ()
    assert check(record(field("a", "int"), field("c", "int", aliases=["b"])), writer) == ()


def test_a_written_field_feeds_its_namesake_before_an_alias() -> None:
    writer = record(field("a", "int"))
    reader = record(field("a", "int"), field("b", "int", aliases=["a"]))
    assert [one.path for one in check(reader, writer)] == ["/fields/b"]


def test_decimals_match_in_precision_and_scale() -> None:
    writer = record(field("f", decimal(9, 2)))
    assert check(record(field("f", decimal(9, 2))), writer) == ()
    (found,) = check(record(field("f", decimal(9, 3))), writer)
    assert found.problem == "decimal(9, 3) cannot read decimal(9, 2)"


def test_every_incompatibility_is_listed() -> None:
    writer = record(field("a", "int"), field("b", "string"), field("c", enum("A", "B")))
    reader = record(
        field("a", "string"), field("b", "int"), field("c", enum("A")), field("d", "int")
    )
    assert [one.path for one in check(reader, writer)] == [
        "/fields/a/type",
        "/fields/b/type",
        "/fields/c/type/symbols",
        "/fields/d",
    ]


def test_every_earlier_version_must_be_readable() -> None:
    first = record(field("a", "int"))
    second = record(field("a", "int"), field("b", ["null", "int"], default=None))
    third = record(field("a", "int"), field("b", ["null", "int"]))
    assert check(third, second) == ()
    with pytest.raises(IncompatibleSchemaError) as caught:
        require_level(
            "BACKWARD_TRANSITIVE", "s", Parsed(third), [(1, Parsed(first)), (2, Parsed(second))]
        )
    assert list(caught.value.incompatibilities) == [1]
    assert "version 1 /fields/b" in str(caught.value)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pairs(), st.data())
def test_what_is_compatible_can_be_read(pair: tuple[Schema, Schema], data: st.DataObject) -> None:
    reader, writer = pair
    if check(reader, writer):
        return
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, writer, data.draw(values(writer)))
    stream.seek(0)
    value = fastavro.schemaless_reader(stream, writer, reader)
    assert isinstance(value, dict)
    assert set(value) == {one["name"] for one in reader["fields"]}


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pairs())
def test_the_judgement_is_java_avros(pair: tuple[Schema, Schema]) -> None:
    reader, writer = pair
    assert (check(reader, writer) == ()) is java(reader, writer)
