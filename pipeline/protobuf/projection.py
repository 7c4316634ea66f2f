"""A message type that has only the fields of a plan: what is not read is passed over unseen.

Texts are bytes in it and enums numbers, so that what is wrong with one can be told by the field's name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.protobuf.plan import Plan, Value, held
from pipeline.protobuf.types import BYTES, ENUM, INT32, INT64, MESSAGE, STRING

if TYPE_CHECKING:
    from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto
    from google.protobuf.message import Message

_PACKAGE = "projected"
_OPTIONAL, _REPEATED = 1, 3


def field_name(number: int) -> str:
    """Return what a field is called in the projected message."""
    return f"f{number}"


def projected(plan: Plan) -> type[Message]:
    """Return the class of messages that have a plan's fields, called by `field_name`."""
    from google.protobuf.descriptor_pb2 import FileDescriptorProto
    from google.protobuf.descriptor_pool import DescriptorPool
    from google.protobuf.message_factory import GetMessageClass

    # Of proto2, where every field tells whether it is there.
    file = FileDescriptorProto(name="projected.proto", package=_PACKAGE, syntax="proto2")
    name = _record(file, plan.root)
    pool = DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())  # type: ignore[no-untyped-call]
    found = pool.FindMessageTypeByName(name.removeprefix("."))  # type: ignore[no-untyped-call]
    return GetMessageClass(found)


def _record(file: FileDescriptorProto, value: Value) -> str:
    message = file.message_type.add(name=f"M{len(file.message_type)}")
    # Those of the writer that are left, without holes.
    oneofs: dict[int, int] = {}
    for field in value.fields:
        if field.number is not None:
            _field(file, message, field.number, field.value, _OPTIONAL)
            _put_in(message, oneofs, field.oneof)
    for skipped in value.skipped:
        # Its wire type is all that counts: a message is passed over as bytes.
        kind = BYTES if skipped.type in (MESSAGE, STRING) else skipped.type
        _add(message, skipped.number, kind, _OPTIONAL)
        _put_in(message, oneofs, skipped.oneof)
    return f".{_PACKAGE}.{message.name}"


def _field(
    file: FileDescriptorProto, message: DescriptorProto, number: int, value: Value, label: int
) -> None:
    match value.kind:
        case "list" | "map":
            # A map is its entries, as on the wire: which of two with one key counts is told later.
            _field(file, message, number, held(value), _REPEATED)
        case "record" | "instant" | "wrapper":
            _add(message, number, MESSAGE, label, _message(file, value))
        case "text":
            _add(message, number, BYTES, label)
        case _:
            _add(message, number, value.type, label)


def _message(file: FileDescriptorProto, value: Value) -> str:
    if value.kind == "record":
        return _record(file, value)
    message = file.message_type.add(name=f"M{len(file.message_type)}")
    if value.kind == "instant":
        _add(message, 1, INT64, _OPTIONAL)
        _add(message, 2, INT32, _OPTIONAL)
    else:
        _field(file, message, 1, held(value), _OPTIONAL)
    return f".{_PACKAGE}.{message.name}"


def _add(
    message: DescriptorProto, number: int, type_: int, label: int, type_name: str = ""
) -> None:
    kind = INT32 if type_ == ENUM else type_
    field = message.field.add(name=field_name(number), number=number, type=kind, label=label)
    if type_name:
        field.type_name = type_name


def _put_in(message: DescriptorProto, oneofs: dict[int, int], oneof: int) -> None:
    """Put the field that was added last into a oneof of the writer's."""
    if oneof < 0:
        return
    if oneof not in oneofs:
        oneofs[oneof] = len(oneofs)
        message.oneof_decl.add(name=f"o{oneofs[oneof]}")
    message.field[-1].oneof_index = oneofs[oneof]
