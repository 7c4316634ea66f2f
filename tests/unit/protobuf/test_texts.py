"""Texts of schemas: those made of Avro's versions, and those of descriptors."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from pipeline.protobuf.compatibility import incompatibilities
from pipeline.protobuf.encode import message_encoder
from pipeline.protobuf.from_avro import NoProtobufError, proto_texts
from pipeline.protobuf.protoc_private import ProtocMissingError
from pipeline.protobuf.resolve import resolve
from pipeline.protobuf.schema import NotProtobufError, ProtoSource, load
from pipeline.protobuf.single import reader
from pipeline.protobuf.text import NoTextError, proto_text
from tests.unit.protobuf.wire import block, double, integer, timestamp

MICROS = {"type": "long", "logicalType": "timestamp-micros"}


def record(*fields: dict[str, Any], name: str = "shop.Order") -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": list(fields)}


def field(name: str, type_: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": type_, **more}


LINE = record(field("sku", "string"), field("count", "int"), name="Line")
STATUS = {"type": "enum", "name": "Status", "symbols": ["OPEN", "PAID"]}


def test_a_record_becomes_the_first_message_of_its_namespace() -> None:
    version = record(
        field("id", "string"),
        field("at", MICROS),
        field("amount", {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}),
        field("status", STATUS),
        field("lines", {"type": "array", "items": LINE}),
        field("prices", {"type": "map", "values": "double"}),
        field("note", ["null", "string"]),
        field("first", ["null", "Line"]),
        field("day", {"type": "int", "logicalType": "date"}),
    )
    assert proto_texts([version]) == [
        """syntax = "proto3";
package shop;
import "google/protobuf/timestamp.proto";

message Order {
  string id = 1;
  google.protobuf.Timestamp at = 2;
  bytes amount = 3;
  Status status = 4;
  repeated Line lines = 5;
  map<string, double> prices = 6;
  optional string note = 7;
  Line first = 8;
  int32 day = 9;
}

message Line {
  string sku = 1;
  int32 count = 2;
}

enum Status {
  OPEN = 0;
  PAID = 1;
}
"""
    ]
    resolve(load(ProtoSource(proto_texts([version])[0])).message([0]), version)


def test_versions_keep_their_numbers_and_read_what_earlier_ones_wrote() -> None:
    versions = [
        record(
            field("a", "int"),
            field("b", "float"),
            field("s", STATUS),
            field("lines", ["null", LINE]),
        ),
        record(field("c", "string"), field("a", "long"), field("b", "double"), field("s", STATUS)),
        record(
            field("b", "double"),
            field("s", {**STATUS, "symbols": ["NEW", "PAID"]}),
            field("a", ["null", "long"]),
        ),
    ]
    texts = proto_texts(versions)
    assert "  string c = 5;\n  int64 a = 1;\n  double b = 6;\n  Status s = 3;\n" in texts[1]
    assert "  reserved 2, 4;\n" in texts[1]
    assert "  NEW = 2;\n" in texts[2]
    made = [load(ProtoSource(text)) for text in texts]
    for newer in range(3):
        for older in range(newer):
            assert incompatibilities(made[newer], made[older]) == []
    # Adding versions changes nothing of those before.
    assert proto_texts(versions[:2]) == texts[:2]


def test_enums_that_share_symbols_stand_apart() -> None:
    other = {"type": "enum", "name": "Other", "symbols": ["PAID", "LOST"]}
    version = record(field("s", STATUS), field("o", other))
    (text,) = proto_texts([version])
    assert "OfOther.Other o = 2;" in text
    plan = resolve(load(ProtoSource(text)).message([0]), version)
    body = message_encoder(plan)({"s": "OPEN", "o": "LOST"})
    assert reader(plan)(body) == {"s": "OPEN", "o": "LOST"}


@pytest.mark.parametrize(
    "type_",
    [
        {"type": "array", "items": {"type": "array", "items": "int"}},
        {"type": "array", "items": ["null", "int"]},
        {"type": "map", "values": {"type": "map", "values": "int"}},
    ],
)
def test_what_protobuf_does_not_have_is_said(type_: Any) -> None:
    with pytest.raises(NoProtobufError, match="x: Protobuf has no"):
        proto_texts([record(field("x", type_))])


def test_records_are_written_as_the_wire_has_them() -> None:
    version = record(
        field("id", "string"),
        field("at", MICROS),
        field("weight", ["null", "double"]),
        field("lines", {"type": "array", "items": LINE}),
    )
    plan = resolve(load(ProtoSource(proto_texts([version])[0])).message([0]), version)
    lines = [{"sku": "a", "count": 1}, {"sku": "b", "count": -1}]
    body = message_encoder(plan)({"id": "x", "at": -1, "weight": 0.5, "lines": lines})
    assert body == b"".join(
        [
            block(1, b"x"),
            timestamp(2, -1),
            double(3, 0.5),
            block(4, block(1, b"a") + integer(2, 1)),
            block(4, block(1, b"b") + integer(2, -1)),
        ]
    )


RICH = """
syntax = "proto2";
package p.q;
import "google/protobuf/timestamp.proto";
option java_package = "org.example";
option optimize_for = SPEED;
message M {
  option deprecated = true;
  required string a = 1 [default = "x\\"y\\n"];
  optional bytes b = 2 [default = "\\001z"];
  repeated int32 c = 3 [packed = true, deprecated = true];
  oneof o { string d = 4; M e = 5; }
  map<string, google.protobuf.Timestamp> f = 6;
  optional E g = 7 [default = B, json_name = "other"];
  optional double h = 8 [default = inf];
  reserved 10, 12 to 15, 20 to max;
  reserved "gone";
  extensions 17 to 18;
  enum E { option allow_alias = true; A = 0; B = 1; C = 1; reserved 5 to 7; }
  message N { optional bool i = 1; }
}
extend M { optional int32 j = 17; }
service S { rpc Do(M) returns (stream M.N); }
"""


def test_a_descriptors_text_makes_the_same_descriptor() -> None:
    made = load(ProtoSource(RICH)).proto
    again = load(ProtoSource(proto_text(made))).proto
    assert again == made


def test_a_descriptor_without_a_text_is_refused() -> None:
    with pytest.raises(NoTextError, match="syntax editions"):
        proto_text(FileDescriptorProto(name="x.proto", syntax="editions"))


@pytest.mark.parametrize("name", ["../x.proto", "/etc/x.proto", "a/../../x.proto", "", "a b.proto"])
def test_imports_stay_among_themselves(name: str) -> None:
    with pytest.raises(NotProtobufError, match="no name to import by"):
        load(ProtoSource('syntax = "proto3";', {name: 'syntax = "proto3";'}))


def test_what_the_message_has_no_place_for_is_refused() -> None:
    version = record(field("s", STATUS), field("x", {"type": "array", "items": ["null", "string"]}))
    text = 'syntax = "proto3"; message M { E s = 1; repeated string x = 2; } enum E { OPEN = 0; }'
    encode = message_encoder(resolve(load(ProtoSource(text)).message([0]), version))
    assert encode({"s": "OPEN", "x": ["a"]}) == integer(1, 0) + block(2, b"a")
    with pytest.raises(ValueError, match="no nulls in lists"):
        encode({"s": "OPEN", "x": [None]})
    with pytest.raises(KeyError):
        encode({"s": "PAID", "x": []})


def test_without_its_extra_protobuf_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "grpc_tools", None)
    with pytest.raises(ProtocMissingError, match=r"pip install 'headwater\[protobuf\]'"):
        load(ProtoSource('syntax = "proto3"; message NotCompiledYet {}'))
