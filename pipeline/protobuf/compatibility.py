"""Whether messages of one schema can be read with another: what Protobuf's wire format lets pass, and keeps.

Judged by a message's name and a field's number. Not looked at: names of fields, messages of imported files,
services, and options.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipeline.avro.compatibility import Incompatibility
from pipeline.protobuf import types as t
from pipeline.protobuf.schema import ProtoSchema

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

_WIDER = {
    t.INT32: (t.INT64,),
    t.UINT32: (t.UINT64, t.INT64),
    t.BOOL: (t.INT32, t.INT64, t.UINT32, t.UINT64),
    t.ENUM: (t.INT32, t.INT64),
    t.SINT32: (t.SINT64,),
    t.STRING: (t.BYTES,),
}
"""A writer's type -> what reads it with the same meaning."""
_REQUIRED = 2


def incompatibilities(reader: ProtoSchema, writer: ProtoSchema) -> list[Incompatibility]:
    """Return why `reader` cannot read what was written with `writer`; none if it can."""
    if reader.proto.package != writer.proto.package:
        told = f"package {reader.proto.package or 'none'}, not {writer.proto.package or 'none'}"
        return [Incompatibility("package", told)]
    found: list[Incompatibility] = []
    messages, enums = dict(_messages(reader)), dict(_enums(reader))
    for name, wrote in _messages(writer):
        if name in messages:
            found += _message(messages[name], wrote)
        else:
            found.append(Incompatibility(name, "the message is gone"))
    for name, symbols in _enums(writer):
        if name in enums:
            gone = set(symbols.values_by_number) - set(enums[name].values_by_number)
            lost = sorted(f"{symbols.values_by_number[one].name} = {one}" for one in gone)
            if lost:
                found.append(Incompatibility(name, f"symbols are gone: {', '.join(lost)}"))
    return sorted(found)


def _messages(schema: ProtoSchema) -> Iterator[tuple[str, Descriptor]]:
    waiting = list(schema.file.message_types_by_name.values())
    while waiting:
        one = waiting.pop()
        waiting += [each for each in one.nested_types if not each.GetOptions().map_entry]
        yield one.full_name, one


def _enums(schema: ProtoSchema) -> Iterator[tuple[str, EnumDescriptor]]:
    for one in schema.file.enum_types_by_name.values():
        yield one.full_name, one
    for _, message in _messages(schema):
        for one in message.enum_types:
            yield one.full_name, one


def _message(reads: Descriptor, wrote: Descriptor) -> Iterator[Incompatibility]:
    known = reads.fields_by_number
    for number, field in wrote.fields_by_number.items():
        path = f"{wrote.full_name}.{field.name}"
        if number in known:
            yield from (Incompatibility(path, one) for one in _field(known[number], field))
        elif field.containing_oneof is not None and not _is_optional(field):
            yield Incompatibility(path, "the field is gone from its oneof")
    for number, field in known.items():
        if field.is_required and not getattr(
            wrote.fields_by_number.get(number), "is_required", False
        ):
            yield Incompatibility(f"{reads.full_name}.{field.name}", "required, and was not")


def _is_optional(field: FieldDescriptor) -> bool:
    """Return whether a field's oneof is only what `optional` of proto3 is made of."""
    oneof = field.containing_oneof
    return oneof is not None and len(oneof.fields) == 1 and oneof.name == f"_{field.name}"


def _field(reads: FieldDescriptor, wrote: FieldDescriptor) -> Iterator[str]:
    if reads.is_repeated != wrote.is_repeated:
        yield "repeated" if reads.is_repeated else "no longer repeated"
    if reads.type != wrote.type:
        if reads.type not in _WIDER.get(wrote.type, ()):
            yield f"type {t.NAMES[reads.type]}, not {t.NAMES[wrote.type]}"
    elif reads.type in (t.MESSAGE, t.GROUP):
        if _is_map(reads) != _is_map(wrote):
            yield "a map, and was none" if _is_map(reads) else "no longer a map"
        elif _is_map(reads):
            for name in ("key", "value"):
                parts = (one.message_type.fields_by_name[name] for one in (reads, wrote))
                yield from (f"{name}: {told}" for told in _field(*parts))
        elif reads.message_type.full_name != wrote.message_type.full_name:
            yield f"a {reads.message_type.full_name}, not a {wrote.message_type.full_name}"
    elif reads.type == t.ENUM and reads.enum_type.full_name != wrote.enum_type.full_name:
        yield f"a {reads.enum_type.full_name}, not a {wrote.enum_type.full_name}"
    into = reads.containing_oneof
    moved = into is not None and not _is_optional(reads) and wrote.containing_oneof is None
    if moved and into is not None and len(into.fields) > 1:
        others = wrote.containing_type.fields_by_number
        if sum(one.number in others for one in into.fields) > 1:
            yield f"in the oneof {into.name} with others that it stood beside"


def _is_map(field: FieldDescriptor) -> bool:
    return bool(field.message_type.GetOptions().map_entry)
