"""What every schema registry does with Protobuf, and what Confluent's own clients make of it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

from pipeline.avro.compatibility import IncompatibleSchemaError
from pipeline.schemas.http import HttpRegistry
from pipeline.schemas.registry import InvalidSchemaError, Registry, SchemaNotFoundError
from pipeline.schemas.sqlite import SqliteRegistry
from pipeline.schemas.texts import Reference, SchemaText
from tests.contracts.test_registry import IMPLEMENTATIONS
from tests.support.registry_server import ask, served

AVRO = {"type": "record", "name": "R", "fields": [{"name": "a", "type": "int"}]}


@pytest.fixture(params=IMPLEMENTATIONS)
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Registry]:
    with request.param(tmp_path) as opener:
        yield opener()


def proto(fields: str, *references: Reference, more: str = "") -> SchemaText:
    imports = "".join(f'import "{one.name}"; ' for one in references)
    text = f'syntax = "proto3"; package p; {imports} message M {{ {fields} }} {more}'
    return SchemaText("PROTOBUF", text, references)


def test_a_registered_schema_is_found_in_its_words(registry: Registry) -> None:
    schema = proto("int64 a = 1; /* what it is */")
    ref = registry.register_text("s", schema)
    assert (ref.subject, ref.version, ref.schema) == ("s", 1, schema)
    assert registry.text(ref.id) == schema
    assert registry.text_version("s") == registry.text_version("s", 1) == ref


def test_equal_schemas_are_one_whatever_their_words(registry: Registry) -> None:
    one = registry.register_text("s", proto("int64 a = 1;"))
    other = registry.register_text("t", proto("int64  a = 1 ; /* the same */"))
    assert registry.register_text("s", proto("\n int64 a = 1;")) == one
    assert other.id == one.id


def test_avro_and_protobuf_share_the_numbering(registry: Registry) -> None:
    avro = registry.register("a", AVRO)
    ref = registry.register_text("s", proto("int64 a = 1;"))
    assert ref.id != avro.id
    assert registry.text(avro.id).type == "AVRO"
    with pytest.raises(SchemaNotFoundError, match=f"schema id {ref.id} as an Avro schema"):
        registry.schema(ref.id)
    with pytest.raises(SchemaNotFoundError, match="version 1 of s as an Avro schema"):
        registry.latest("s")


def test_a_subject_stays_of_its_type(registry: Registry) -> None:
    registry.register_text("s", proto("int64 a = 1;"))
    with pytest.raises((IncompatibleSchemaError, SchemaNotFoundError), match="Avro"):
        registry.register("s", AVRO)
    registry.register("a", AVRO)
    with pytest.raises(IncompatibleSchemaError, match="one is Avro, the other Protobuf"):
        registry.register_text("a", proto("int64 a = 1;"))


def test_what_a_schema_refers_to_is_read_with_it(registry: Registry) -> None:
    registry.register_text("inner", proto("int64 a = 1;"))
    reference = Reference("inner.proto", "inner", 1)
    schema = SchemaText(
        "PROTOBUF",
        'syntax = "proto3"; import "inner.proto"; import "google/protobuf/timestamp.proto";'
        " message O { p.M m = 1; google.protobuf.Timestamp at = 2; }",
        (reference,),
    )
    assert registry.text(registry.register_text("outer", schema).id) == schema
    with pytest.raises(InvalidSchemaError, match="version 9 of inner is not registered"):
        registry.register_text(
            "other", SchemaText("PROTOBUF", schema.text, (Reference("inner.proto", "inner", 9),))
        )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("message {", "Expected message name"),
        ('syntax = "proto3"; message M { Absent a = 1; }', '"Absent" is not defined'),
        ('syntax = "proto3"; import "gone.proto"; message M { int64 a = 1; }', "gone.proto"),
    ],
)
def test_what_is_no_protobuf_is_refused_with_its_place(
    registry: Registry, text: str, why: str
) -> None:
    with pytest.raises(InvalidSchemaError, match=why):
        registry.register_text("s", SchemaText("PROTOBUF", text))
    assert registry.subjects() == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("int64 a = 1;", "int64 a = 1; string b = 2;"),
        ("int64 a = 1; string b = 2;", 'int64 a = 1; reserved 2; reserved "b";'),
        ("int64 a = 1;", "int64 called_otherwise = 1;"),
        ("int32 a = 1;", "int64 a = 1;"),
        ("E a = 1;", "int32 a = 1;"),
        ("string a = 1;", "bytes a = 1;"),
        ("int64 a = 1;", "oneof o { int64 a = 1; string b = 2; }"),
        ("optional int64 a = 1;", "int64 a = 1;"),
        ("map<string, int32> a = 1;", "map<string, int64> a = 1;"),
    ],
)
def test_compatible_changes(registry: Registry, before: str, after: str) -> None:
    enum = "enum E { NONE = 0; }"
    registry.register_text("s", proto(before, more=enum))
    assert registry.register_text("s", proto(after, more=enum)).version == 2


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ("int64 a = 1;", "int32 a = 1;", "p.M.a: type int32, not int64"),
        ("int64 a = 1;", "sint64 a = 1;", "p.M.a: type sint64, not int64"),
        ("float a = 1;", "double a = 1;", "p.M.a: type double, not float"),
        ("int64 a = 1;", "repeated int64 a = 1;", "p.M.a: repeated"),
        ("N a = 1;", "O a = 1;", "p.M.a: a p.O, not a p.N"),
        ("int64 a = 1; string b = 2;", "oneof o { int64 a = 1; string b = 2; }", "oneof o"),
        ("oneof o { int64 a = 1; string b = 2; }", "oneof o { int64 a = 1; }", "gone from its oneof"),
        ("map<string, int64> a = 1;", "map<string, int32> a = 1;", "value: type int32"),
        ("enum I { X = 0; Y = 1; } I a = 1;", "enum I { X = 0; } I a = 1;", "Y = 1"),
        ("message P {} P a = 1;", "int64 b = 2;", "p.M.P: the message is gone"),
    ],
)  # fmt: skip
def test_incompatible_changes(registry: Registry, before: str, after: str, why: str) -> None:
    others = "message N {} message O {}"
    registry.register_text("s", proto(before, more=others))
    with pytest.raises(IncompatibleSchemaError, match=why):
        registry.register_text("s", proto(after, more=others))
    assert registry.text_version("s").version == 1


def event() -> Any:
    """Return a class of messages, as generated code has it."""
    file = FileDescriptorProto(name="event.proto", package="shop", syntax="proto3")
    file.dependency.append("google/protobuf/timestamp.proto")
    other = file.message_type.add(name="Other")
    other.field.add(name="x", number=1, type=3, label=1)
    message = file.message_type.add(name="Event")
    message.field.add(name="name", number=1, type=9, label=1, json_name="name")
    message.field.add(name="at", number=2, type=11, label=1, type_name=".google.protobuf.Timestamp")
    message.field.add(name="note", number=3, type=9, label=1, oneof_index=0, proto3_optional=True)
    message.oneof_decl.add(name="_note")
    from google.protobuf import timestamp_pb2

    pool = DescriptorPool()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)  # type: ignore[no-untyped-call]
    pool.AddSerializedFile(file.SerializeToString())  # type: ignore[no-untyped-call]
    return GetMessageClass(pool.FindMessageTypeByName("shop.Event"))  # type: ignore[no-untyped-call]


def test_confluents_serializers_write_and_read(tmp_path: Path) -> None:
    kind = event()
    with served(tmp_path / "registry.db") as url, SchemaRegistryClient({"url": url}) as client:
        context = SerializationContext("orders", MessageField.VALUE)
        value = ProtobufSerializer(kind, client)(kind(name="a", note=""), context)
        assert value is not None
        read = ProtobufDeserializer(kind, {}, client)(value, context)
        assert (read.name, read.note, read.HasField("note")) == ("a", "", True)
        schema_id = int.from_bytes(value[1:5], "big")
        # What they send serialized is there as text, for all who read text.
        found = HttpRegistry({"url": url}).text(schema_id)
        assert found.type == "PROTOBUF"
        assert "optional string note = 3;" in found.text
        assert SqliteRegistry(tmp_path / "registry.db").text(schema_id) == found
        status, told = ask(url, "GET", f"/schemas/ids/{schema_id}?format=serialized")
        assert (status, told["schemaType"]) == (200, "PROTOBUF")
        sent = FileDescriptorProto.FromString(base64.b64decode(told["schema"]))
        assert [one.name for one in sent.message_type] == ["Other", "Event"]


def test_a_schema_that_others_refer_to_stays(tmp_path: Path) -> None:
    with served(tmp_path / "registry.db") as url:
        registry = HttpRegistry({"url": url})
        registry.register_text("inner", proto("int64 a = 1;"))
        outer = registry.register_text(
            "outer",
            SchemaText(
                "PROTOBUF",
                'syntax = "proto3"; import "i.proto"; message O { p.M m = 1; }',
                (Reference("i.proto", "inner", 1),),
            ),
        )
        assert ask(url, "GET", "/subjects/inner/versions/1/referencedby") == (200, [outer.id])
        assert ask(url, "DELETE", "/subjects/inner/versions/1")[1]["error_code"] == 42206
        assert ask(url, "DELETE", "/subjects/inner")[1]["error_code"] == 42206


def test_calls_name_the_type(tmp_path: Path) -> None:
    body = {"schemaType": "PROTOBUF", "schema": proto("int64 a = 1;").text}
    narrow = {"schemaType": "PROTOBUF", "schema": proto("int32 a = 1;").text}
    with served(tmp_path / "registry.db") as url:
        assert ask(url, "POST", "/subjects/s/versions", body) == (200, {"id": 1})
        found = ask(url, "GET", "/subjects/s/versions/latest")[1]
        assert found == {"subject": "s", "version": 1, "id": 1, **body}
        assert ask(url, "POST", "/subjects/s", body)[1] == found
        path = "/compatibility/subjects/s/versions/latest?verbose=true"
        told = ask(url, "POST", path, narrow)[1]
        assert told == {
            "is_compatible": False,
            "messages": ["version 1 p.M.a: type int32, not int64"],
        }
        assert ask(url, "POST", "/subjects/s/versions", narrow)[0] == 409
        broken = {"schemaType": "PROTOBUF", "schema": "message {"}
        assert ask(url, "POST", "/subjects/s/versions", broken)[1]["error_code"] == 42201
        assert ask(url, "GET", "/schemas/types") == (200, ["AVRO", "PROTOBUF"])
