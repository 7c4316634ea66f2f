"""What a wrong contract is told: every mistake at once, each at its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.contract.load import ContractError, Mistake, load_product, load_products
from tests.unit.contract.conftest import Copy


def mistakes_of(folder: Path) -> list[Mistake]:
    with pytest.raises(ContractError) as caught:
        load_product(folder)
    return list(caught.value.mistakes)


def text_of(mistake: Mistake) -> str:
    """Return the line that a mistake names."""
    return mistake.file.read_text().splitlines()[mistake.line - 1]


def line_of(file: Path, text: str) -> int:
    lines = file.read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def test_all_mistakes_of_a_contract_are_reported_at_once_with_their_lines(copy: Copy) -> None:
    folder = copy(
        "viewing_events",
        ("version: 1.0.0", "version: one"),
        ("cells: [us, eu]", "cells: []"),
        ("key: user_id", "key: account"),
        ("eventTime: timestamp", "eventTime: region"),
        ("partitions: 4", "partitions: four"),
        ("retention: forever", "retention: {hot: 7d}"),
        ("payload: 1MB", "payload: big"),
        ("late: 72h", "late: 5s"),
        ("on: [content_id]", "on: [content]"),
        ("columns: [title, genre, runtime_s]", "columns: [title, actors]"),
        ("name: profile\n        logicalType: string", "name: profil\n        logicalType: string"),
        ("check: isin", "check: is_in"),
        ("{min_value: 0, max_value: 86400}", "{min_value: 0, maximum: 86400}"),
        ("type: expect_compound_columns_to_be_unique", "type: expect_compound_uniqueness"),
        ("sql: build.sql", "sql: absent.sql"),
        ("value: 60\n", "value: soon\n"),
        ("status: active", "stattus: active"),
    )
    found = [(text_of(one), one.expected) for one in mistakes_of(folder)]

    def reported(text: str, expected: str) -> bool:
        return any(text in line and expected in words for line, words in found)

    assert reported("version: one", "a version such as 1.2.0, not 'one'")
    assert reported("cells: []", "at least 1 item")
    assert reported("key: account", "a field of the payload")
    assert reported("eventTime: region", "timestamp-micros or timestamp-millis; 'region' is string")
    assert reported("partitions: four", "a whole number, not 'four'")
    assert reported("payload: big", "a size such as 512KB or 1MB, not 'big'")
    assert reported("on: [content]", "a field of the payload, not 'content'")
    assert reported("columns: [title, actors]", "a column of content.csv")
    assert reported("name: profil", "a field of the newest payload schema, not 'profil'")
    assert reported("check: is_in", "one of pandera's checks")
    assert any("argument 'max_value' of in_range" in words for _, words in found)
    assert any("not 'maximum'" in words for _, words in found)
    assert reported("type: expect_compound_uniqueness", "Great Expectations expectation")
    assert reported("sql: absent.sql", "No such file")
    assert reported("value: soon", "a number, not 'soon'")
    assert reported("stattus: active", "no such key in ODCS")


@pytest.mark.parametrize(
    ("edits", "at", "expected"),
    [
        ([("retention: forever", "retention: {hot: 7d}")], "retention: {", "`forever`"),
        ([("        history: true\n        retention: forever", "        history: true")], "topic:",
         "`forever`"),
        ([("retention: forever", "retention: {hot: forever, warm: 73h}")], "retention: {",
         "no less than an hour, `allowedLateness` and `gates.late` together"),
        ([("late: 72h", "late: 5s")], "late: 5s", "more than `freshness`"),
        ([("apiVersion: v3.1.0", "apiVersion: v2.2.2")], "apiVersion", "one of v3.0.2"),
        ([("apiVersion: v3.1.0", "apiVersion: v9")], "apiVersion", "one of v3.0.2"),
        ([("kind: DataContract", "kind: Contract")], "kind: Contract", "one of DataContract"),
        ([("kind: DataContract\n", "")], "apiVersion", "required key: 'kind'"),
        ([("recordTime: CreateTime", "recordTime: Now")], "recordTime", "'CreateTime' or"),
        ([("history: true", "history: yes please")], "history: yes", "true or false"),
        ([("allowedLateness: 5m", "lateness: 5m")], "lateness: 5m", "no such key"),
        ([("      key: user_id\n", "")], "value:", "required key: 'key'"),
        ([("key: user_id", "key: completion")], "key: completion", "'completion' is double"),
        ([("key: user_id", "key: user_id\n      uuid: watch_duration")], "uuid:", "type string"),
        ([("file:reference/content.csv", "file:../elsewhere.csv")], "source:", "contract's folder"),
        ([("file:reference/content.csv", "package:no_such_thing/a.csv")], "source:", "installed"),
        ([("file:reference/content.csv", "content.csv")], "source:", "file:<path> or package:"),
        ([("columns: [title,", "columns: [region, title,")], "columns: [", "that no other has"),
        ([("logicalType: number", "logicalType: string")], "logicalType: string", "number"),
        ([("physicalName: viewing_events_v3", "physicalName: a topic")], "physicalName", "not 'a"),
        ([("physicalType: topic", "physicalType: file")], "physicalType: file", "topic, not 'file'"),
        ([("engine: pandera", "engine: soda")], "- type: custom", "engine: pandera"),
        ([("kwargs: {column_list: [hour, content_id, region]}",
           "kwargs: {column_list: [hour, contentid, region]}")],
         "kwargs: {column_list", "not 'contentid'"),
        ([("unit: s\n", "unit: fortnights\n")], "unit: fort", "not 'fortnights'"),
        ([("{target: 0.999, window: 30d}", "{target: 99.9, window: 30d}")], "{target: 99.9",
         "less than 1"),
        ([("schemas/payload.v1.avsc", "schemas/payload.v9.avsc")], "payload.v9", "No such file"),
        ([("schemas/payload.v1.avsc", '"schemas/payload.v1\\0.avsc"')], "payload.v1", "no file is named"),
        ([("{target: 0.999, window: 30d}", "{target: 0.999, window: 0s}")], "{target: 0.999",
         "more than 0"),
        ([("name: viewing-platform", "label: viewing-platform")], "team:", "an owner"),
    ],
)  # fmt: skip
def test_a_mistake_names_its_line_and_what_was_expected(
    copy: Copy, edits: list[tuple[str, str]], at: str, expected: str
) -> None:
    folder = copy("viewing_events", *edits)
    found = mistakes_of(folder)
    assert any(at in text_of(one) and expected in one.expected for one in found), found


def test_one_wrong_value_is_one_mistake(copy: Copy) -> None:
    folder = copy("viewing_events", ("name: region", "name: region\n        tags: 7"))
    (found,) = mistakes_of(folder)
    assert found.path == "schema[0].properties[5].tags"
    assert found.expected == "array, not 7"


def test_a_type_is_stated_by_the_avro_schema_alone(copy: Copy) -> None:
    folder = copy("viewing_events", ("name: region", "name: region\n        physicalType: TEXT"))
    (found,) = mistakes_of(folder)
    assert found.expected == "no physicalType here: the Avro schema gives it"


def test_a_property_without_a_logical_type_is_told_so(copy: Copy) -> None:
    folder = copy("viewing_events", ("        logicalType: timestamp\n", ""))
    (found,) = mistakes_of(folder)
    assert found.expected == "required key: 'logicalType'"


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("a: 1\na: 2\n", 2, "duplicate key"),
        ("a: [1\nb: 2\n", 1, "YAML"),
        ("- a\n", 1, "a YAML mapping at the top"),
        ("", 1, "a YAML mapping at the top"),
    ],
)
def test_a_file_that_is_no_yaml_mapping(
    tmp_path: Path, text: str, line: int, expected: str
) -> None:
    (tmp_path / "contract.yaml").write_text(text)
    (found,) = mistakes_of(tmp_path)
    assert (found.line, expected in found.expected) == (line, True)


def test_an_absent_contract(tmp_path: Path) -> None:
    (found,) = mistakes_of(tmp_path / "nothing")
    assert "no such file" in found.expected


def rewrite(file: Path, **types: object) -> None:
    """Replace the types of fields in an .avsc file, or drop those of type None."""
    schema = json.loads(file.read_text())
    schema["fields"] = [
        {**field, "type": types.get(field["name"], field["type"])}
        for field in schema["fields"]
        if types.get(field["name"], field["type"]) is not None
    ]
    file.write_text(json.dumps(schema, indent=2))


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        ({"value": "string"}, "string cannot read int"),
        ({"value": "double"}, "an Iceberg column of type int32 can be widened to, not double"),
        ({"note": ["null", "bytes"]}, None),
        ({"at": "long"}, "no other logical type (None) than that (timestamp-micros)"),
        ({"at": {"type": "long", "logicalType": "timestamp-millis"}}, "no other logical type"),
        ({"note": ["null", "string", "int"]}, "a union of more than one type"),
    ],
)
def test_a_payload_version_must_read_and_follow_the_earlier_ones(
    copy: Copy, types: dict[str, object], expected: str | None
) -> None:
    folder = copy("strict_events")
    file = folder / "schemas" / "payload.v2.avsc"
    rewrite(file, **types)
    if expected is None:
        load_product(folder)
        return
    found = [one for one in mistakes_of(folder) if one.file == file]
    name = next(iter(types))
    assert any(expected in one.expected for one in found), found
    assert any(one.line == line_of(file, f'"name": "{name}"') for one in found)


def test_schema_files_are_checked_too(copy: Copy) -> None:
    folder = copy("strict_events")
    schemas = folder / "schemas"
    rewrite(schemas / "envelope.avsc", uuid=None, payload="string")
    (schemas / "payload.v1.avsc").write_text('{\n"type": record}')
    rewrite(schemas / "payload.v2.avsc", value="integer")
    found = {(one.file.name, one.expected) for one in mistakes_of(folder)}
    assert ("envelope.avsc", "a field 'uuid' of type string") in found
    assert ("envelope.avsc", "type bytes, not null") in found
    assert any(file == "payload.v1.avsc" and "JSON" in words for file, words in found)
    assert any(file == "payload.v2.avsc" and "an Avro schema" in words for file, words in found)


def test_the_mistakes_of_all_contracts_are_reported_together(copy: Copy) -> None:
    folder = copy("viewing_events", ("key: user_id", "key: nobody"))
    copy("departures", ("key: carrier", "key: nobody"))
    with pytest.raises(ContractError) as caught:
        load_products(folder.parent)
    assert {one.file.parent.name for one in caught.value.mistakes} == {
        "departures",
        "viewing_events",
    }
    assert "2 mistakes" in str(caught.value)


def test_two_products_cannot_share_a_topic(copy: Copy) -> None:
    folder = copy("viewing_events")
    copy("departures", ("physicalName: departures_v1", "physicalName: viewing_events_v3"))
    with pytest.raises(ContractError, match="a topic of its own"):
        load_products(folder.parent)


def test_a_folder_without_contracts_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"a folder with a contract\.yaml"):
        load_products(tmp_path)
