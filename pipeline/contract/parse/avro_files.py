"""The .avsc files beside a contract."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.avro import arrow, compatibility
from pipeline.avro.decoding.single import OutOfRangeError, UnreadableValueError, reader
from pipeline.avro.logical_types import logical_type, type_name
from pipeline.avro.schema import Schema
from pipeline.avro.validity import problems
from pipeline.contract.checks.schema_evolution import evolution_mistakes, records, version_mistakes
from pipeline.contract.settings.product import BARE, SchemasSection
from pipeline.contract.source.document import Loc
from pipeline.contract.source.reader import ContractReader
from pipeline.contract.source.schema_text import NotJsonError, SchemaText
from pipeline.tables.layout import EVENT_HOUR

ENVELOPE_FIELDS = {
    "uuid": ("string", None),
    "key": ("string", None),
    "schema_version": ("int", None),
    "timestamp": ("long", "timestamp-micros"),
    "payload": ("bytes", None),
}
"""Field -> its Avro type and logical type."""

AvroSchema = dict[str, Any]
_UNTIMED = "without its logicalType the column is the number that is sent"


@dataclass(frozen=True)
class _Version:
    """A payload schema: its file, its text with lines, and its parts."""

    file: Path
    text: SchemaText
    schema: Schema


def read_schemas(
    reader: ContractReader, section: SchemasSection | None, loc: Loc
) -> tuple[AvroSchema | None, tuple[AvroSchema, ...]]:
    """Return envelope (None without one) and payload schemas; no payload if any is unreadable."""
    if section is None:
        return None, ()
    envelope = None
    if section.envelope not in BARE:
        read = _read(reader, section.envelope, (*loc, "envelope"))
        if read is not None:
            envelope = read.text.data
            _check_envelope(reader, read, envelope)
    payloads: list[_Version] = []
    for index, name in enumerate(section.payload):
        version = _read(reader, name, (*loc, "payload", index))
        if version is not None:
            _check_payload(reader, version)
            _check_evolution(reader, version, payloads)
            payloads.append(version)
    if len(payloads) < len(section.payload):
        # Nothing else can be judged by a version that is not the newest.
        return envelope, ()
    return envelope, tuple(version.text.data for version in payloads)


def _read(reader: ContractReader, name: str, loc: Loc) -> _Version | None:
    text = reader.read_text(loc, name, "an Avro schema file")
    if text is None:
        return None
    file = reader.folder / name
    try:
        parsed = SchemaText(text)
    except NotJsonError as error:
        reader.report_in(file, error.place.line, "", f"JSON; {error}", error.place.column)
        return None
    if not isinstance(parsed.data, dict) or parsed.data.get("type") != "record":
        kind = parsed.data.get("type") if isinstance(parsed.data, dict) else parsed.data
        _report(reader, file, parsed, ("type",), f"an Avro record, not {json.dumps(kind)[:60]}")
        return None
    found = problems(parsed.data)
    for one in found:
        _report(reader, file, parsed, one.path, f"an Avro schema: {one.expected}")
    return None if found else _Version(file, parsed, Schema(parsed.data))


def _report(
    reader: ContractReader, file: Path, text: SchemaText, path: Sequence[str | int], expected: str
) -> None:
    """Report a mistake at a path of a schema: its fields are numbers or names."""
    line, column = text.place(path)
    reader.report_in(file, line, text.named(path), expected, column)


def _check_envelope(reader: ContractReader, read: _Version, schema: AvroSchema) -> None:
    present = {field["name"]: field["type"] for field in schema["fields"]}
    for name, wanted in ENVELOPE_FIELDS.items():
        kind, logical = wanted
        text = f"{kind} ({logical})" if logical else kind
        if name not in present:
            _report(reader, read.file, read.text, ("fields",), f"a field {name!r} of type {text}")
            continue
        found = present[name]
        if isinstance(found, list) or (type_name(found), logical_type(found)) != wanted:
            _report(reader, read.file, read.text, ("fields", name), f"type {text}, not null")


def _check_payload(reader: ContractReader, version: _Version) -> None:
    report = partial(_report, reader, version.file, version.text)
    if not version.text.data["fields"]:
        report(("fields",), "at least one field")
    is_supported = True
    for field in version.schema.root["fields"]:
        name = field["name"]
        if name.startswith("_"):
            expected = "a name that does not begin with _, which is kept for Headwater's columns"
            report(("fields", name), expected)
        if name.lower() == EVENT_HOUR:
            expected = f"another name; {EVENT_HOUR} is what the events table is partitioned by"
            report(("fields", name), expected)
        try:
            timed = arrow.time_inside(arrow.field_type(field, version.schema))
            if timed is not None:
                expected = f"no time of day: Spark reads no table with one; {_UNTIMED}"
                report(version.text.field((name, *timed)), expected)
        except arrow.UnsupportedTypeError as error:
            is_supported = False
            report(version.text.field(error.fields), f"a type that Iceberg holds, not {error}")
    for path, expected in version_mistakes(version.schema):
        report(path, expected)
    if not is_supported:
        return
    for path, record in records(version.schema, version.schema.root, ()):
        for field in record["fields"]:
            wrong = _default_mistake(field, version.schema)
            if wrong:
                report((*path, "fields", field["name"], "default"), wrong)


def _default_mistake(field: Mapping[str, Any], schema: Schema) -> str | None:
    """Return what is wrong with a default that is Avro and still none of its column's; None if nothing."""
    nothing = {"type": "record", "name": "headwater.Nothing", "fields": []}
    if "default" not in field:
        return None
    alone = {**field, "type": schema.standalone(field["type"])}
    try:
        reader(nothing, {**nothing, "fields": [alone]})(b"")
    except (OutOfRangeError, UnreadableValueError) as error:
        return f"a default that its column takes; {error}"
    return None


def _check_evolution(reader: ContractReader, version: _Version, earlier: list[_Version]) -> None:
    found: list[tuple[tuple[str, ...], str]] = []
    for other in earlier:
        for problem in compatibility.check(version.text.data, other.text.data):
            path = tuple(problem.path.strip("/").split("/"))
            expected = f"a schema that reads data of {other.file.name}: {problem.problem}"
            found.append((path, expected))
    found += evolution_mistakes(
        version.schema, [(other.file.name, other.schema) for other in earlier]
    )
    for path, expected in found:
        _report(reader, version.file, version.text, path, expected)
