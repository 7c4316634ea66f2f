"""Inputs that went wrong: schemas that Avro reads otherwise than one thinks, or that no table holds."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fastavro
import pytest

from headwater.produce.file import produce_file
from pipeline.cells import Cell
from pipeline.contract.load import ContractError, load_product
from pipeline.contract.model import Product
from pipeline.contract.source.mistakes import Mistake
from pipeline.ingest.run import ingest
from pipeline.ledger.verify import verify_ledger
from pipeline.schemas import wire
from pipeline.schemas.open import open_registry
from pipeline.schemas.registration import register_product
from pipeline.tables.catalog import load_table
from pipeline.tables.layout import dead_letters_table, events_table
from tests.support.load import Message, TopicWriter
from tests.support.payloads import write_contract
from tests.support.products import own_product

CASES = Path(__file__).parents[1] / "data" / "cases"
AT = 1_780_000_000_000_000


def rows(cell: Cell, product: Product) -> list[dict[str, Any]]:
    found = load_table(cell, events_table(product.name)).scan().to_arrow().to_pylist()
    return sorted(found, key=lambda row: int(row["_offset"]))


def mistakes(folder: Path) -> list[Mistake]:
    with pytest.raises(ContractError) as caught:
        load_product(folder)
    return list(caught.value.mistakes)


def send(cell: Cell, product: Product, *payloads: dict[str, Any], version: int = 1) -> None:
    """Send payloads, times and decimals as they are on the wire, of a version of the schema."""
    writer = TopicWriter(cell, product)
    registry = open_registry(cell)
    register_product(registry, product)
    ref = registry.version(product.payload_subject, version)
    messages = []
    for payload in payloads:
        out = io.BytesIO()
        fastavro.schemaless_writer(out, plain(ref.schema), payload)
        value = wire.encode(ref.id, out.getvalue())
        messages.append(Message(0, str(payload["id"]).encode(), value, AT // 1000))
    writer.send(messages)


def plain(schema: Any) -> Any:
    """Return `schema` without logical types."""
    if isinstance(schema, list):
        return [plain(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: [{**one, "type": plain(one["type"])} for one in value]
        if key == "fields"
        else plain(value)
        if key in ("type", "items", "values")
        else value
        for key, value in schema.items()
        if key != "logicalType"
    }


def test_defaults_are_those_that_avro_means_under_another_namespace_too(
    cell: Cell, tmp_path: Path
) -> None:
    case = CASES / "default"
    before = own_product("dflt", tmp_path / "before", case / "before")
    assert produce_file(cell, before, str(case / "first.jsonl")).bad_rows == 0
    after = own_product("dflt", tmp_path / "after", case / "after")
    contract = after.folder / "contract.yaml"
    contract.write_text(contract.read_text().replace(after.topic.name, before.topic.name))
    after = load_product(after.folder)

    report = ingest(cell, after, once=True)

    assert (report.rows, report.dead_letters, report.singly) == (2, 0, 0)
    assert [(one["id"], one["seen"], one["raw"]) for one in rows(cell, after)] == [
        (name, datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC), b"\xff") for name in ("k0", "k1")
    ]
    assert verify_ledger(cell, after).balanced


def test_a_logical_type_on_another_base_is_ignored_and_the_contract_says_so(
    cell: Cell, tmp_path: Path
) -> None:
    case = CASES / "logical"
    (found,) = mistakes(case / "only" / "strdec")
    assert found.file.name == "payload.v1.avsc"
    assert "decimal" in "".join(found.file.read_text().splitlines()[found.line - 1 :][:4])
    assert found.expected == "decimal on bytes or fixed, not on string"

    fields = [{"name": "x", "type": {"type": "string", "logicalType": "decimal", "precision": 9}}]
    product = load_product(write_contract(tmp_path / f"strdec{id(fields)}", fields))
    assert produce_file(cell, product, str(case / "strdec.jsonl")).bad_rows == 0
    assert ingest(cell, product, once=True).singly == 0
    assert [one["x"] for one in rows(cell, product)] == ["1.5", "7", "12.34"]


@pytest.mark.parametrize(
    ("folder", "line", "expected"),
    [
        ("empty_record/only/hollow", '"name": "marker"', "record cases.Empty, which has no fields"),
        ("names/only/casetwins", '"name": "userid"', "differs from 'userId' in more than case"),
        ("names/only/dupfield", '"name": "x"', "each field once; 'x' is here twice"),
    ],
)
def test_what_no_table_holds_is_a_mistake_of_the_check(
    folder: str, line: str, expected: str
) -> None:
    (found,) = (one for one in mistakes(CASES / folder) if one.file.name == "payload.v1.avsc")
    lines = (CASES / folder / "schemas" / "payload.v1.avsc").read_text().splitlines()
    last = max(number for number, text in enumerate(lines, 1) if line in text)
    assert found.line == last
    assert expected in found.expected


FAR = {"type": "long", "logicalType": "timestamp-millis"}
PRICE = {"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}
NESTED = {
    "type": "record",
    "name": "Device",
    "fields": [{"name": "seen", "type": {"type": "array", "items": FAR}}],
}


@pytest.mark.parametrize(
    ("type_", "value", "detail"),
    [
        (FAR, 253_402_300_800_000, "x: a timestamp-millis outside years 1 to 9999"),
        (FAR, -62_135_596_800_001, "x: a timestamp-millis outside years 1 to 9999"),
        (
            {"type": "int", "logicalType": "date"},
            -719_163,
            "x: a date outside years 1 to 9999",
        ),
        (PRICE, b"\x00\xff\xff", "x: a decimal of more than 4 digits"),
        (["null", NESTED], {"seen": [0, 2**60]}, "x.seen[]: a timestamp-millis outside"),
    ],
)
def test_what_no_column_takes_is_a_dead_letter_that_names_the_field_and_the_next_lands(
    cell: Cell, tmp_path: Path, type_: Any, value: Any, detail: str
) -> None:
    name = f"far{abs(hash(detail + str(value)))}"
    product = load_product(write_contract(tmp_path / name, [{"name": "x", "type": type_}]))
    sound = {"seen": [0]} if isinstance(value, dict) else b"\x01" if type_ is PRICE else 0
    send(
        cell,
        product,
        *(
            {"id": key, "at": AT, "x": one}
            for key, one in (("a", sound), ("b", value), ("c", sound))
        ),
    )
    report = ingest(cell, product, once=True)
    assert report.reasons == {"out_of_range": 1}
    assert [one["id"] for one in rows(cell, product)] == ["a", "c"]
    (letter,) = load_table(cell, dead_letters_table(product.name)).scan().to_arrow().to_pylist()
    assert detail in letter["detail"]
    assert verify_ledger(cell, product).balanced
