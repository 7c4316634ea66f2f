"""The .avsc files beside a contract."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.contract.document import Loc
from pipeline.contract.findings import Findings
from pipeline.contract.own_settings import NO_ENVELOPE, SchemasSection
from pipeline.contract.targets import arrow, avro
from pipeline.schemas import compatibility
from pipeline.schemas.validity import NotAvroError, require_avro
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


def read_schemas(
    findings: Findings, section: SchemasSection | None, loc: Loc
) -> tuple[AvroSchema | None, tuple[AvroSchema, ...]]:
    """Return envelope (None without one) and payload schemas; no payload if any is unreadable."""
    if section is None:
        return None, ()
    envelope = None
    if section.envelope != NO_ENVELOPE:
        envelope = _read(findings, section.envelope, (*loc, "envelope"))
        if envelope is not None:
            _check_envelope(findings, findings.folder / section.envelope, envelope)
    payloads: list[tuple[Path, AvroSchema]] = []
    for index, name in enumerate(section.payload):
        schema = _read(findings, name, (*loc, "payload", index))
        if schema is not None:
            _check_payload(findings, findings.folder / name, schema)
            _check_evolution(findings, findings.folder / name, schema, payloads)
            payloads.append((findings.folder / name, schema))
    if len(payloads) < len(section.payload):
        # Nothing else can be judged by a version that is not the newest.
        return envelope, ()
    return envelope, tuple(schema for _, schema in payloads)


def field_line(file: Path, name: str) -> int:
    """Return the line of a file that first names the field `name`; 1 if none does."""
    named = re.compile(rf'"name"\s*:\s*"{re.escape(name)}"')
    lines = file.read_text(encoding="utf-8").splitlines()
    return next((number for number, line in enumerate(lines, 1) if named.search(line)), 1)


def _read(findings: Findings, name: str, loc: Loc) -> AvroSchema | None:
    text = findings.read_text(loc, name, "an Avro schema file")
    if text is None:
        return None
    file = findings.folder / name
    try:
        schema = json.loads(text)
    except json.JSONDecodeError as error:
        findings.add_in(file, error.lineno, "", f"JSON; {error.msg}")
        return None
    if not isinstance(schema, dict) or schema.get("type") != "record":
        findings.add_in(file, 1, "", "an Avro record")
        return None
    try:
        require_avro(schema)
    except NotAvroError as error:
        findings.add_in(file, 1, "", f"an Avro schema; {error}")
        return None
    return schema


def _check_envelope(findings: Findings, file: Path, schema: AvroSchema) -> None:
    present = {field["name"]: field["type"] for field in schema["fields"]}
    for name, wanted in ENVELOPE_FIELDS.items():
        kind, logical = wanted
        text = f"{kind} ({logical})" if logical else kind
        if name not in present:
            findings.add_in(file, 1, "fields", f"a field {name!r} of type {text}")
            continue
        found = present[name]
        if isinstance(found, list) or (avro.type_name(found), avro.logical_type(found)) != wanted:
            findings.add_in(
                file, field_line(file, name), f"fields.{name}", f"type {text}, not null"
            )


def _check_payload(findings: Findings, file: Path, schema: AvroSchema) -> None:
    for field in schema["fields"]:
        name = field["name"]
        if name.startswith("_"):
            expected = "a name that does not begin with _, which is kept for Headwater's columns"
            findings.add_in(file, field_line(file, name), f"fields.{name}", expected)
        if name.lower() == EVENT_HOUR:
            expected = f"another name; {EVENT_HOUR} is what the events table is partitioned by"
            findings.add_in(file, field_line(file, name), f"fields.{name}", expected)
        alone: Mapping[str, Any] = {**schema, "fields": _up_to(schema, name)}
        try:
            if arrow.holds_time(arrow.fields(alone)[-1].type):
                expected = f"no time of day: Spark reads no table with one; {_UNTIMED}"
                findings.add_in(file, field_line(file, name), f"fields.{name}", expected)
        except arrow.UnsupportedTypeError as error:
            expected = f"a type that Iceberg holds, not {error}"
            findings.add_in(file, field_line(file, name), f"fields.{name}", expected)


def _up_to(schema: AvroSchema, name: str) -> list[Any]:
    # Later fields may refer to types that earlier ones define; only the last is judged.
    fields: list[Any] = []
    for field in schema["fields"]:
        fields.append(field)
        if field["name"] == name:
            break
    return fields


def _check_evolution(
    findings: Findings, file: Path, schema: AvroSchema, earlier: list[tuple[Path, AvroSchema]]
) -> None:
    for other, writer in earlier:
        for problem in compatibility.check(schema, writer):
            expected = f"a schema that reads data of {other.name}: {problem.problem}"
            name = problem.path.removeprefix("/fields/").split("/", maxsplit=1)[0]
            findings.add_in(file, field_line(file, name), problem.path, expected)
        before = {field["name"]: field for field in writer["fields"]}
        for field in schema["fields"]:
            name = field["name"]
            for expected in _retyped(writer, schema, name) if name in before else ():
                text = f"{expected} of {other.name}"
                findings.add_in(file, field_line(file, name), f"/fields/{name}/type", text)


def _retyped(old: AvroSchema, new: AvroSchema, name: str) -> Iterator[str]:
    """Yield what Avro would let pass in a field's new type, but a table cannot follow."""
    before, after = (
        next(field["type"] for field in schema["fields"] if field["name"] == name)
        for schema in (old, new)
    )
    was, now = avro.logical_type(before), avro.logical_type(after)
    if was != now:
        yield f"no other logical type ({now}) than that ({was})"
        return
    try:
        types = [
            next(one.type for one in arrow.fields(schema) if one.name == name)
            for schema in (old, new)
        ]
    except arrow.UnsupportedTypeError:
        return
    if avro.type_name(before) != avro.type_name(after) and not arrow.widens(*types):
        yield f"a type that an Iceberg column of type {types[0]} can be widened to, not {types[1]},"
