"""The check of payload schemas means what it says: what no table holds, or follows, is a mistake there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from headwater.cli.contract.commands import contract
from pipeline.contract.load import load_product
from tests.support.payloads import Field, write_contract
from tests.unit.contract.test_mistakes import line_of, mistakes_of


def field(name: str, type_: Any, **more: Any) -> Field:
    return {"name": name, "type": type_, **more}


def record(*fields: Field, name: str = "N") -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": list(fields)}


def decimal(precision: int, **more: Any) -> dict[str, Any]:
    return {"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": 2, **more}


MILLIS = {"type": "long", "logicalType": "timestamp-millis"}
DATE = {"type": "int", "logicalType": "date"}
ONE: dict[str, tuple[list[Field], str, str]] = {
    "twins in case": ([field("userId", "int"), field("userid", "int")], "userid", "more than case"),
    "twins in case inside": (
        [field("d", ["null", record(field("a", "int"), field("A", "int"))])],
        "A",
        "more than case",
    ),
    "a field twice": ([field("x", "int"), field("x", "int")], "x", "each field once"),
    "a dash": ([field("a-b", "int")], "a-b", "a name of letters"),
    "a dot": ([field("a.b", "int")], "a.b", "a name of letters"),
    "a leading _": ([field("_x", "int")], "_x", "does not begin with _"),
    "an empty record": ([field("d", ["null", record()])], "d", "has no fields"),
    "an empty record inside": (
        [field("d", {"type": "array", "items": record(field("e", record(name="M")))})],
        "d",
        "has no fields",
    ),
    "null": ([field("x", "null")], "x", "type null"),
    "null alone": ([field("x", ["null"])], "x", "null alone"),
    "several types": ([field("x", ["null", "int", "string"])], "x", "more than one type"),
    "a record in itself": (
        [field("d", record(field("n", ["null", "N"])))],
        "d",
        "holds itself",
    ),
    "a decimal of too many digits": ([field("x", decimal(39))], "x", "more than 38 digits"),
    "a wrong default": ([field("x", "int", default="1")], "x", "a default of the field's type"),
    "a default of a later branch": (
        [field("x", [{"type": "array", "items": "int"}, "null"], default=None)],
        "x",
        "a default of the field's type",
    ),
    "a default beyond year 9999": (
        [field("x", MILLIS, default=2**50)],
        "x",
        "a default that its column takes; x: a timestamp-millis outside years 1 to 9999",
    ),
    "a default of too many digits": (
        [field("x", decimal(2), default="\u0001\u0000")],
        "x",
        "more than 2 digits",
    ),
    "a nested default that is none": (
        [field("d", record(field("y", "int", default=None)))],
        "y",
        "a default of the field's type",
    ),
    "an alias that is a field": (
        [field("x", "int", aliases=["y"]), field("y", "int")],
        "x",
        "the name of another field",
    ),
    "a shared alias": (
        [field("x", "int", aliases=["z"]), field("y", "int", aliases=["z"])],
        "y",
        "it is one of 'x'",
    ),
    "one name for two types": (
        [
            field("x", {"type": "enum", "name": "E", "symbols": ["A"]}),
            field("y", {"type": "fixed", "name": "E", "size": 2}),
        ],
        "y",
        "each name for one type",
    ),
}


@pytest.mark.parametrize("name", ONE)
def test_what_a_table_cannot_hold_is_a_mistake_with_its_line(tmp_path: Path, name: str) -> None:
    fields, at, expected = ONE[name]
    folder = write_contract(tmp_path / "tried", fields)
    file = folder / "schemas" / "payload.v1.avsc"
    found = [one for one in mistakes_of(folder) if one.file == file]
    assert any(expected in one.expected for one in found), found
    numbers = [n for n, text in enumerate(file.read_text().splitlines(), 1) if f'"{at}"' in text]
    # A wrong default stands below the name.
    assert all(min(numbers) <= one.line <= max(numbers) + 20 for one in found)


EVOLVED: dict[str, tuple[list[list[Field]], str]] = {
    "nested, to double": (
        [
            [field("d", record(field("x", "long")))],
            [field("d", record(field("x", "double")))],
        ],
        "can be widened to",
    ),
    "items, to double": (
        [
            [field("d", {"type": "array", "items": "long"})],
            [field("d", {"type": "array", "items": "double"})],
        ],
        "can be widened to",
    ),
    "values of another logical type": (
        [
            [field("d", {"type": "map", "values": DATE})],
            [field("d", {"type": "map", "values": "int"})],
        ],
        "no other logical type (None) than that (date)",
    ),
    "a former name given away": (
        [
            [field("a", "int")],
            [field("b", "int", aliases=["a"])],
            [field("b", "int", aliases=["a"]), field("a", "int", default=0)],
        ],
        "the name of another field",
    ),
    "a former name given away once its field is gone": (
        [
            [field("a", "int")],
            [field("b", "int", aliases=["a"])],
            [field("a", "int", default=0)],
        ],
        "a former name of 'b'",
    ),
    "an alias no longer given": (
        [
            [field("a", "int")],
            [field("b", "int", aliases=["a"])],
            [field("b", "int", default=0)],
        ],
        "the alias 'a'",
    ),
    "an alias that comes too late": (
        [
            [field("a", "int")],
            [field("b", "int", default=0)],
            [field("b", "int", aliases=["a"], default=0)],
        ],
        "earlier versions have it as a field beside 'b'",
    ),
    "another case later": (
        [
            [field("userId", "int")],
            [],
            [field("userid", "int", default=0)],
        ],
        "more than case from the field 'userId'",
    ),
}


@pytest.mark.parametrize("name", EVOLVED)
def test_what_a_table_cannot_follow_is_a_mistake(tmp_path: Path, name: str) -> None:
    versions, expected = EVOLVED[name]
    folder = write_contract(tmp_path / "tried", *versions)
    file = folder / "schemas" / f"payload.v{len(versions)}.avsc"
    found = mistakes_of(folder)
    assert {one.file for one in found} == {file}
    assert any(expected in one.expected for one in found), found


PASSED: dict[str, list[list[Field]]] = {
    "keywords": [[field(name, "int") for name in ("select", "table", "key", "value", "element")]],
    "a null as an object": [[field("x", [{"type": "null"}, "int"])]],
    "null last": [[field("x", ["int", "null"])]],
    "a union of one type": [[field("x", ["int"])]],
    "a map": [[field("x", {"type": "map", "values": "int"})]],
    "a wider decimal": [[field("x", decimal(9))], [field("x", decimal(18))]],
    "a wider decimal inside": [
        [field("d", record(field("x", decimal(9))))],
        [field("d", record(field("x", decimal(18))))],
    ],
    "renamed and wider at once": [[field("a", "int")], [field("b", "long", aliases=["a"])]],
    "renamed there and back": [
        [field("a", "int")],
        [field("b", "int", aliases=["a"])],
        [field("a", "int", aliases=["b"])],
    ],
    "renamed in case": [[field("userId", "int")], [field("userid", "int", aliases=["userId"])]],
    "nested, wider": [
        [field("d", {"type": "array", "items": record(field("x", "int"))})],
        [field("d", {"type": "array", "items": record(field("x", "long"))})],
    ],
    "a logical type that Avro ignores": [[field("x", {"type": "int", "logicalType": "uuid"})]],
    "a very long name": [[field("n" * 3000, "int")]],
}


@pytest.mark.parametrize("name", PASSED)
def test_what_a_table_holds_and_follows_is_passed(tmp_path: Path, name: str) -> None:
    versions = PASSED[name]
    product = load_product(write_contract(tmp_path / "tried", *versions))
    assert len(product.payload_schemas) == len(versions)


def test_a_broken_file_of_brackets_is_a_mistake(tmp_path: Path) -> None:
    folder = write_contract(tmp_path / "tried", [])
    (folder / "schemas" / "payload.v1.avsc").write_text("[" * 100_000)
    (found,) = mistakes_of(folder)
    assert "JSON" in found.expected


def test_a_logical_type_that_changes_nothing_is_a_warning(tmp_path: Path) -> None:
    nanos = {"type": "long", "logicalType": "timestamp-nanos"}
    folder = write_contract(tmp_path / "tried", [field("x", ["null", nanos])])
    file = folder / "schemas" / "payload.v1.avsc"
    checked = CliRunner().invoke(contract, ["check", str(folder), "--json"], standalone_mode=False)
    assert checked.return_value == 0
    (one,) = json.loads(checked.output)["products"]
    assert one["mistakes"] == []
    (warning,) = one["warnings"]
    assert (warning["file"], warning["line"]) == (str(file), line_of(file, '"name": "x"'))
    assert "'timestamp-nanos' changes nothing" in warning["expected"]
    told = CliRunner().invoke(contract, ["check", str(folder)], standalone_mode=False)
    assert "warn  " in told.output


def test_a_version_whose_records_are_decoded_one_by_one_is_a_warning(tmp_path: Path) -> None:
    deep: Any = "int"
    for _ in range(20):
        deep = {"type": "array", "items": deep}
    folder = write_contract(tmp_path / "tried", [field("x", deep)], [field("y", "int", default=1)])
    checked = CliRunner().invoke(contract, ["check", str(folder), "--json"], standalone_mode=False)
    assert checked.return_value == 0
    (one,) = json.loads(checked.output)["products"]
    assert [Path(found["file"]).name for found in one["warnings"]] == ["payload.v1.avsc"]
    assert "one by one, which is slow: more than 16" in one["warnings"][0]["expected"]
