"""A contract drafted of Protobuf passes the check, and is read as its producers mean it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from headwater.draft.plan import plan_draft, write_draft
from headwater.draft.sources import NothingToDraftError, see_subject
from pipeline.cells import Cell, embedded_cell
from pipeline.contract.checks.product_check import check_product
from pipeline.contract.load import ContractError, load_product
from pipeline.contract.model import Product
from pipeline.produce.protobuf import value_encoder
from pipeline.schemas.open import open_registry
from pipeline.schemas.texts import SchemaText

PROTO = """syntax = "proto3";
package shop;
import "google/protobuf/any.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
message Order {
  string order_id = 1;
  google.protobuf.Timestamp placed_at = 2;
  uint32 count = 3;
  Status status = 4;
  optional string note = 5;
  google.protobuf.DoubleValue weight = 6;
  repeated Line lines = 7;
  map<string, Line> by_sku = 8;
  map<int32, string> by_number = 9;
  Tree tree = 10;
  google.protobuf.Any more = 11;
  Line first = 12;
}
message Line { string sku = 1; sint32 n = 2; }
message Tree { string name = 1; repeated Tree below = 2; }
enum Status { NEW = 0; PAID = 1; }
"""


@pytest.fixture
def cell(tmp_path: Path) -> Cell:
    return embedded_cell(tmp_path / "home", "us", "127.0.0.1:1")


def drafted(cell: Cell, folder: Path, text: str = PROTO) -> Product:
    open_registry(cell).register_text("orders-value", SchemaText("PROTOBUF", text))
    draft = plan_draft("orders", "us", see_subject(cell, "orders-value"))
    return load_product(write_draft(folder, draft))


def test_a_subject_becomes_a_contract(cell: Cell, tmp_path: Path) -> None:
    product = drafted(cell, tmp_path)
    assert check_product(product).mistakes == ()
    assert (product.topic.name, product.topic.format) == ("orders", "protobuf")
    assert (product.key, product.event_time) == ("order_id", "placed_at")
    assert product.proto == (PROTO,)
    line = {
        "type": "record",
        "name": "Line",
        "fields": [{"name": "sku", "type": "string"}, {"name": "n", "type": "int"}],
    }
    entry = {
        "type": "record",
        "name": "by_number_entry",
        "fields": [{"name": "key", "type": "int"}, {"name": "value", "type": "string"}],
    }
    tree = {"type": "record", "name": "Tree", "fields": [{"name": "name", "type": "string"}]}
    found: dict[str, Any] = {one["name"]: one["type"] for one in product.payload_schema["fields"]}
    assert found == {
        "order_id": "string",
        "placed_at": {"type": "long", "logicalType": "timestamp-micros"},
        "count": "long",
        "status": "string",
        "note": ["null", "string"],
        "weight": ["null", "double"],
        "lines": {"type": "array", "items": line},
        "by_sku": {"type": "map", "values": "Line"},
        "by_number": {"type": "array", "items": entry},
        "tree": ["null", tree],
        "first": ["null", "Line"],
    }
    told = (product.folder / "contract.yaml").read_text()
    assert "# left out: more: groups and google.protobuf.Any are not read" in told
    assert "# left out: tree.below: a shop.Tree holds itself" in told


def test_it_writes_what_its_producers_write(cell: Cell, tmp_path: Path) -> None:
    product = drafted(cell, tmp_path)
    lines = [{"sku": "a", "n": -1}]
    body = value_encoder(product)(
        {
            "order_id": "o",
            "placed_at": 1_000_000,
            "count": 1,
            "status": "PAID",
            "note": None,
            "weight": 0.5,
            "lines": lines,
            "by_sku": {},
            "by_number": [],
            "tree": None,
            "first": None,
        }
    )
    assert body.startswith(b"\x0a\x01o\x12\x04\x08\x01\x10\x00")


def test_nothing_of_a_message_without_a_time_is_drafted(cell: Cell, tmp_path: Path) -> None:
    with pytest.raises(NothingToDraftError, match="no field could be the event time"):
        drafted(cell, tmp_path, 'syntax = "proto3"; message M { string id = 1; }')


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("message Order {", "message {"), "a .proto file: schema.proto:6:9"),
        (("uint32 count", "string count"), "count: string is not read as long"),
        (("message Order {", "message First { string a = 1; } message Order {"), "no such field"),
    ],
)
def test_a_proto_file_that_does_not_fit_is_a_mistake_of_the_contract(
    cell: Cell, tmp_path: Path, change: tuple[str, str], expected: str
) -> None:
    product = drafted(cell, tmp_path)
    file = product.folder / "schemas" / "value.v1.proto"
    file.write_text(file.read_text().replace(*change))
    with pytest.raises(ContractError, match=expected):
        load_product(product.folder)


def test_a_proto_file_is_of_protobuf_alone(tmp_path: Path) -> None:
    orders = Path(__file__).parents[2] / "data" / "contracts" / "json_orders"
    folder = shutil.copytree(orders, tmp_path / "json_orders")
    contract = folder / "contract.yaml"
    text = contract.read_text()
    contract.write_text(
        text.replace("        envelope:", "        proto: [a.proto]\n        envelope:")
    )
    with pytest.raises(ContractError, match=r"left out: values of no other format have \.proto"):
        load_product(folder)
