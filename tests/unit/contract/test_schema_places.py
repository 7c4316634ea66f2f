"""Mistakes in .avsc files have the line and column of the field, however deep it lies."""

from __future__ import annotations

import pytest

from pipeline.contract.load import ContractError, load_product
from tests.unit.contract.conftest import Copy

NESTED = """{
  "type": "record",
  "name": "Reading",
  "fields": [
    {"name": "sensor", "type": "string"},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
    {"name": "value", "type": "int"},
    {"name": "parts", "type": ["null", {"type": "array", "items": {
      "type": "record", "name": "Part", "fields": [
        {"name": "sensor", "type": "string"},
        {"name": "size", "type": "long", "default": 0}
      ]
    }}], "default": null}
  ]
}
"""


def places(copy: Copy, file: str, old: str, new: str) -> list[str]:
    """Return the mistakes of a schema file in which a text stands in place of another."""
    folder = copy("strict_events")
    avsc = folder / "schemas" / file
    text = NESTED if file == "payload.v1.avsc" else avsc.read_text()
    assert old in text
    avsc.write_text(text.replace(old, new))
    with pytest.raises(ContractError) as error:
        load_product(folder)
    return [str(one).partition(f"{file}:")[2] for one in error.value.mistakes if one.file == avsc]


@pytest.mark.parametrize(
    ("old", "new", "place", "told"),
    [
        ('"size", "type": "long"', '"size", "type": "lng"', "11:18", "an Avro schema"),
        ('"size", "type": "long"', '"size", "type": ["int", "long"]', "11:18", "a union of more"),
        (
            '"type": "long", "default": 0',
            '"type": {"type": "int", "logicalType": "time-millis"}',
            "11:18",
            "no time of day",
        ),
        ('"default": 0', '"default": "0"', "11:53", "default"),
        ('"name": "size"', '"name": "SENSOR"', "11:18", "in more than case"),
        ('"name": "value"', '"name": "_value"', "7:14", "does not begin with _"),
        ('"type": "record",\n  "name"', '"type": "error",\n  "name"', "2:11", "an Avro record"),
        ('"type": "int"}', '"type": int}', "7:31", "JSON"),
    ],
)
def test_a_mistake_stands_at_its_field(
    copy: Copy, old: str, new: str, place: str, told: str
) -> None:
    found = places(copy, "payload.v1.avsc", old, new)
    assert any(one.startswith(f"{place}:") and told in one for one in found), found


def test_a_field_that_the_envelope_lacks_is_told_at_its_fields(copy: Copy) -> None:
    (found,) = places(copy, "envelope.avsc", '"name": "uuid"', '"name": "uid"')
    assert found.startswith("6:13: /fields: a field 'uuid'"), found
