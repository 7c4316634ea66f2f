"""What a contract says of its records: their format, and the fields that say what an event is."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pipeline.avro.field_path import type_at
from pipeline.avro.logical_types import TIMESTAMPS
from pipeline.avro.schema import Schema, kind_of, logical_of
from pipeline.config.nearest import did_you_mean
from pipeline.contract.settings.product import BARE, DEBEZIUM, ProductSettings
from pipeline.contract.source.document import Loc
from pipeline.contract.source.reader import ContractReader
from pipeline.contract.targets.event_time import CHANGE_UNITS

KEY_TYPES = ("string", "int", "long", "enum")
CHANGE = {"op": "string", "before": "record", "after": "record"}
"""Fields that a change has, with their types."""


def check_format(reader: ContractReader, settings: ProductSettings, loc: Loc) -> None:
    """Report formats, framings and envelopes that do not go together."""
    schemas = settings.schemas
    if schemas is None:
        return
    place: Loc = (*loc, "schemas")
    if schemas.format != "avro" and schemas.envelope not in BARE:
        reader.report((*place, "format"), "avro: an envelope is of no other format")
    if schemas.format == "protobuf" and schemas.envelope == DEBEZIUM:
        reader.report((*place, "format"), "avro or json: changes are read of no other format")
    if schemas.format != "protobuf" and schemas.proto:
        reader.report((*place, "proto"), "left out: values of no other format have .proto files")
    if schemas.framing == "confluent":
        return
    if schemas.format == "protobuf":
        reader.report((*place, "framing"), "left out: Protobuf is in Confluent's framing")
    elif schemas.format == "json":
        reader.report(
            (*place, "framing"), "left out: JSON is read plain and in Confluent's framing"
        )
    elif schemas.envelope not in BARE:
        reader.report((*place, "framing"), "confluent: an envelope is in no other framing")
    elif schemas.framing == "none" and len(schemas.payload) > 1:
        reader.report(
            (*place, "payload"),
            "one schema: values without a framing do not say which of several wrote them",
        )


def check_named_fields(
    reader: ContractReader,
    settings: ProductSettings,
    loc: Loc,
    payload: Mapping[str, Any],
    mistyped: Collection[str] = (),
) -> None:
    """Report key, event time and uuid that are not fields of the payload, or of a wrong type.

    Of fields that are `mistyped` by the schema, more is not told.
    """
    schema = Schema(payload)
    is_change = settings.schemas is not None and settings.schemas.envelope == DEBEZIUM
    if is_change and (wanted := [*_not_of_a_change(schema)]):
        reader.report((*loc, "schemas", "payload"), f"a change as Debezium sends it: {wanted[0]}")
        return
    named = (("key", settings.key), ("eventTime", settings.event_time), ("uuid", settings.uuid))
    for key, name in named:
        if name is None:
            continue
        place = (*loc, key)
        path = f"after.{name}" if is_change and key == "key" else name
        type_ = type_at(schema, path)
        if type_ is None:
            reader.report(place, _instead(schema, path, name))
            continue
        if path.partition(".")[0] in mistyped:
            continue
        found = schema.branch(type_)
        kind = "union" if found is None else kind_of(found)
        logical = logical_of(found)
        if key == "key" and kind not in KEY_TYPES:
            reader.report(place, f"a field of type {', '.join(KEY_TYPES)}; {name!r} is {kind}")
        if key == "uuid" and kind != "string":
            reader.report(place, f"a field of type string; {name!r} is {kind}")
        is_time = is_change and kind == "long" and name.rpartition(".")[2] in CHANGE_UNITS
        if key == "eventTime" and logical not in TIMESTAMPS and not (is_time and not logical):
            reader.report(
                place,
                f"a field of logical type {' or '.join(TIMESTAMPS)}; {name!r} is {logical or kind}",
            )


def _not_of_a_change(schema: Schema) -> Iterator[str]:
    for name, kind in CHANGE.items():
        type_ = type_at(schema, name)
        found = None if type_ is None else schema.branch(type_)
        if found is None or kind_of(found) != kind:
            yield f"a field {name!r} of type {kind}"


def _instead(schema: Schema, path: str, name: str) -> str:
    """Return which fields there are where a path does not find its own."""
    above, _, last = path.rpartition(".")
    type_ = type_at(schema, above) if above else schema.root
    record = None if type_ is None else schema.branch(type_)
    if record is None or kind_of(record) != "record":
        above, last, record = "", path, schema.root
    names = sorted(field["name"] for field in record["fields"])
    where = f"payload's record {above!r}" if above else "payload"
    return f"a field of the {where} ({', '.join(names)}); not {name!r}{did_you_mean(last, names)}"
