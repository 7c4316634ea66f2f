"""What must agree between a contract's parts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from polars.exceptions import PolarsError

from pipeline.contract.document import Loc
from pipeline.contract.findings import Findings
from pipeline.contract.own_settings import GatesSection, OwnSettings, ReferenceSection
from pipeline.contract.reference import instants, locate, read_frame
from pipeline.contract.targets import avro

KEY_TYPES = ("string", "int", "long", "enum")


def check_topic(findings: Findings, settings: OwnSettings, loc: Loc) -> None:
    """Note settings of the topic that would lose records."""
    topic = settings.topic
    by_producer = topic.record_time == "CreateTime"
    if topic.history and by_producer and topic.retention.hot != -1:
        findings.add(
            (*loc, "topic", "retention"),
            "retention: forever; the broker judges history by its own times and would delete it",
        )
    if topic.retention.hot != -1 and -1 < topic.retention.warm < topic.retention.hot:
        findings.add((*loc, "topic", "retention", "warm"), "no less than `hot`")


def check_gates(findings: Findings, gates: GatesSection, loc: Loc) -> None:
    """Note gates that contradict each other."""
    if gates.late is not None and gates.late <= gates.freshness:
        findings.add((*loc, "gates", "late"), "more than `freshness`, or left out")


def check_named_fields(
    findings: Findings, settings: OwnSettings, loc: Loc, payload: Mapping[str, Any]
) -> None:
    """Note key, event time and uuid that are not fields of the payload, or of a wrong type."""
    types = {field["name"]: field["type"] for field in payload["fields"]}
    for key, name in (
        ("key", settings.key),
        ("eventTime", settings.event_time),
        ("uuid", settings.uuid),
    ):
        if name is None:
            continue
        place = (*loc, key)
        if name not in types:
            findings.add(
                place, f"a field of the payload ({', '.join(sorted(types))}); not {name!r}"
            )
            continue
        kind, logical = avro.type_name(types[name]), avro.logical_type(types[name])
        if key == "key" and kind not in KEY_TYPES:
            findings.add(place, f"a field of type {', '.join(KEY_TYPES)}; {name!r} is {kind}")
        if key == "uuid" and kind != "string":
            findings.add(place, f"a field of type string; {name!r} is {kind}")
        if key == "eventTime" and logical not in avro.TIMESTAMPS:
            wanted = " or ".join(avro.TIMESTAMPS)
            findings.add(place, f"a field of logical type {wanted}; {name!r} is {logical or kind}")


def check_properties(
    findings: Findings, loc: Loc, payload: Mapping[str, Any], described: Collection[str]
) -> None:
    """Note properties of the topic at `loc` that are not fields, and fields without a property."""
    types = {field["name"]: field["type"] for field in payload["fields"]}
    for place, entry in findings.mappings((*loc, "properties")):
        name, stated = entry.get("name"), entry.get("logicalType")
        if not isinstance(name, str):
            continue
        if name not in types:
            findings.add((*place, "name"), f"a field of the newest payload schema, not {name!r}")
        elif stated is not None and stated not in avro.odcs_types(types[name]):
            wanted = " or ".join(avro.odcs_types(types[name]))
            findings.add(
                (*place, "logicalType"), f"{wanted}, as in the Avro schema; not {stated!r}"
            )
    for name in types:
        if name not in described:
            findings.add((*loc, "properties"), f"a property for the payload's field {name!r}")


def check_references(
    findings: Findings, settings: OwnSettings, loc: Loc, payload: Mapping[str, Any] | None
) -> None:
    """Note reference data that is absent, or lacks the columns it is said to have."""
    taken = {field["name"] for field in payload["fields"]} if payload else set()
    names: set[str] = set()
    for index, reference in enumerate(settings.references):
        place: Loc = (*loc, "references", index)
        if reference.name in names:
            findings.add((*place, "name"), f"each reference once; {reference.name!r} is here twice")
        names.add(reference.name)
        for position, column in enumerate(reference.on):
            if payload and column not in {field["name"] for field in payload["fields"]}:
                findings.add((*place, "on", position), f"a field of the payload, not {column!r}")
        for position, column in enumerate(reference.columns):
            if column in taken or column.startswith("_"):
                expected = f"a column that no other has, and without a leading _; not {column!r}"
                findings.add((*place, "columns", position), expected)
            taken.add(column)
        _check_file(findings, reference, place)


def _check_file(findings: Findings, reference: ReferenceSection, place: Loc) -> None:
    try:
        path = locate(reference.source, findings.folder)
        frame = read_frame(path, path.read_bytes())
    except (OSError, ValueError, PolarsError) as error:
        findings.add((*place, "source"), f"reference data: {error}")
        return
    named: list[tuple[Loc, str]] = [
        *((("on", position), column) for position, column in enumerate(reference.on)),
        *((("columns", position), column) for position, column in enumerate(reference.columns)),
    ]
    if reference.valid_from is not None:
        named.append((("validFrom",), reference.valid_from))
    for key, column in named:
        if column not in frame.columns:
            expected = f"a column of {path.name} ({', '.join(frame.columns)}); not {column!r}"
            findings.add((*place, *key), expected)
    if reference.valid_from in frame.columns:
        try:
            instants(frame[reference.valid_from])
        except PolarsError:
            expected = f"a column of ISO 8601 times; {reference.valid_from!r} has others"
            findings.add((*place, "validFrom"), expected)
