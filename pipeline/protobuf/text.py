"""The .proto text of a descriptor: what clients send serialized, and what is made of Avro schemas."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from pipeline.protobuf.types import ENUM, GROUP, MESSAGE, NAMES

if TYPE_CHECKING:
    from google.protobuf.descriptor_pb2 import (
        DescriptorProto,
        EnumDescriptorProto,
        FieldDescriptorProto,
        FileDescriptorProto,
        ServiceDescriptorProto,
    )

_LABELS = {1: "optional", 2: "required", 3: "repeated"}
_LAST_FIELD, _LAST_SYMBOL = 2**29, 2**31 - 1


class NoTextError(ValueError):
    """A descriptor has what is written as text by nobody here; says what."""


def proto_text(file: FileDescriptorProto) -> str:
    """Return a text that protoc makes the same descriptor of, save options that a file defines itself.

    Raises:
        NoTextError: it is of an edition, or has groups.
    """
    if file.syntax not in ("", "proto2", "proto3"):
        raise NoTextError(f"syntax {file.syntax}: send its text")
    return "\n".join(_file(file)) + "\n"


def _file(file: FileDescriptorProto) -> Iterator[str]:
    yield f'syntax = "{file.syntax or "proto2"}";'
    if file.package:
        yield f"package {file.package};"
    if file.dependency:
        yield ""
    public, weak = set(file.public_dependency), set(file.weak_dependency)
    for number, name in enumerate(file.dependency):
        kind = "public " if number in public else "weak " if number in weak else ""
        yield f"import {kind}{json.dumps(name)};"
    options = list(_options(file.options))
    if options:
        yield ""
        yield from (f"option {one};" for one in options)
    is_proto3 = file.syntax == "proto3"
    for message in file.message_type:
        yield ""
        yield from _message(message, is_proto3)
    for enum in file.enum_type:
        yield ""
        yield from _enum(enum)
    yield from _extensions(file.extension, is_proto3)
    for service in file.service:
        yield ""
        yield from _service(service)


def _message(message: DescriptorProto, is_proto3: bool) -> Iterator[str]:
    yield f"message {message.name} {{"
    yield from _indented(_body(message, is_proto3))
    yield "}"


def _body(message: DescriptorProto, is_proto3: bool) -> Iterator[str]:
    yield from (f"option {one};" for one in _options(message.options) if "map_entry" not in one)
    entries = {one.name: one for one in message.nested_type if one.options.map_entry}
    told: set[int] = set()
    for field in message.field:
        in_oneof = field.HasField("oneof_index") and not field.proto3_optional
        if not in_oneof:
            yield _field(field, is_proto3, entries)
        elif field.oneof_index not in told:
            told.add(field.oneof_index)
            members = [one for one in message.field if _is_of(one, field.oneof_index)]
            yield f"oneof {message.oneof_decl[field.oneof_index].name} {{"
            yield from _indented(_field(one, is_proto3, entries, bare=True) for one in members)
            yield "}"
    for nested in message.nested_type:
        if not nested.options.map_entry:
            yield from _message(nested, is_proto3)
    for enum in message.enum_type:
        yield from _enum(enum)
    yield from _reserved(
        [(one.start, one.end - 1) for one in message.reserved_range],
        message.reserved_name,
        _LAST_FIELD - 1,
    )
    for extensions in message.extension_range:
        yield f"extensions {_range(extensions.start, extensions.end - 1, _LAST_FIELD - 1)};"
    yield from _extensions(message.extension, is_proto3)


def _is_of(field: FieldDescriptorProto, oneof: int) -> bool:
    has = field.HasField("oneof_index") and not field.proto3_optional
    return has and field.oneof_index == oneof


def _field(
    field: FieldDescriptorProto,
    is_proto3: bool,
    entries: dict[str, DescriptorProto],
    *,
    bare: bool = False,
) -> str:
    if field.type == GROUP:
        raise NoTextError("a group: send its text")
    entry = entries.get(field.type_name.rpartition(".")[2]) if field.type == MESSAGE else None
    label = f"{_LABELS[field.label]} "
    if entry is not None:
        key, value = entry.field
        type_, label = f"map<{NAMES[key.type]}, {_type(value)}>", ""
    else:
        type_ = _type(field)
        if bare or (is_proto3 and field.label == 1 and not field.proto3_optional):
            label = ""
    told = []
    if field.HasField("default_value"):
        is_text = field.type in (9, 12)
        told.append(f"default = {_quoted(field) if is_text else field.default_value}")
    if field.json_name not in ("", _json_name(field.name)):
        told.append(f"json_name = {json.dumps(field.json_name)}")
    told += _options(field.options)
    options = f" [{', '.join(told)}]" if told else ""
    return f"{label}{type_} {field.name} = {field.number}{options};"


def _quoted(field: FieldDescriptorProto) -> str:
    # Those of bytes are escaped as C has it already.
    return f'"{field.default_value}"' if field.type == 12 else json.dumps(field.default_value)


def _type(field: FieldDescriptorProto) -> str:
    return field.type_name if field.type in (MESSAGE, ENUM) else NAMES[field.type]


def _enum(enum: EnumDescriptorProto) -> Iterator[str]:
    yield f"enum {enum.name} {{"
    yield from _indented(f"option {one};" for one in _options(enum.options))
    for one in enum.value:
        options = ", ".join(_options(one.options))
        yield f"  {one.name} = {one.number}{f' [{options}]' if options else ''};"
    ranges = [(one.start, one.end) for one in enum.reserved_range]
    yield from _indented(_reserved(ranges, enum.reserved_name, _LAST_SYMBOL))
    yield "}"


def _service(service: ServiceDescriptorProto) -> Iterator[str]:
    yield f"service {service.name} {{"
    for one in service.method:
        sent = "stream " if one.client_streaming else ""
        given = "stream " if one.server_streaming else ""
        yield f"  rpc {one.name} ({sent}{one.input_type}) returns ({given}{one.output_type});"
    yield "}"


def _extensions(found: Iterable[FieldDescriptorProto], is_proto3: bool) -> Iterator[str]:
    for field in found:
        yield f"extend {field.extendee} {{"
        yield f"  {_field(field, is_proto3, {})}"
        yield "}"


def _reserved(ranges: Sequence[tuple[int, int]], names: Sequence[str], most: int) -> Iterator[str]:
    if ranges:
        yield f"reserved {', '.join(_range(first, last, most) for first, last in ranges)};"
    if names:
        yield f"reserved {', '.join(json.dumps(name) for name in names)};"


def _range(first: int, last: int, most: int) -> str:
    if first == last:
        return str(first)
    return f"{first} to {'max' if last == most else last}"


def _options(options: Any) -> Iterator[str]:
    for field, value in options.ListFields():
        if field.is_extension or field.message_type is not None or field.is_repeated:
            continue
        if field.enum_type is not None:
            told = field.enum_type.values_by_number[value].name
        elif isinstance(value, bool):
            told = str(value).lower()
        else:
            told = json.dumps(value) if isinstance(value, str) else str(value)
        yield f"{field.name} = {told}"


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (f"  {line}" for line in lines)


def _json_name(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)
