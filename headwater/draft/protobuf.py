"""What a contract is drafted from where values are Protobuf: the Avro record that a message is read as."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from headwater.draft.infer import INSTANT, NAME
from pipeline.avro.decoding.single import OutOfRangeError, UnreadableValueError
from pipeline.errors import PoisonError
from pipeline.protobuf import types as t
from pipeline.protobuf.resolve import resolve
from pipeline.protobuf.schema import ProtoSchema, load
from pipeline.protobuf.single import reader
from pipeline.schemas import wire
from pipeline.schemas.message_indexes import split_indexes
from pipeline.schemas.protobuf import source_of
from pipeline.schemas.registry import Registry
from pipeline.schemas.texts import SchemaText

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor, FieldDescriptor

_PLAIN = {
    t.BOOL: "boolean",
    t.FLOAT: "float",
    t.DOUBLE: "double",
    t.STRING: "string",
    t.BYTES: "bytes",
    t.ENUM: "string",
    **dict.fromkeys((t.INT32, t.SINT32, t.SFIXED32), "int"),
}
_TIMESTAMP = "google.protobuf.Timestamp"


@dataclass
class Record:
    """A message as an Avro record, and what of it no column holds.

    Attributes:
        left_out: path of each field that has no type -> why.
        guesses: path of each field whose type may be another -> which, and why.
    """

    schema: dict[str, Any] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    guesses: dict[str, str] = field(default_factory=dict)


def schema_of(registry: Registry, text: SchemaText) -> ProtoSchema:
    """Return a schema of a registry compiled.

    Raises:
        NotProtobufError, SchemaNotFoundError: it, or what it refers to, is none.
        ProtocMissingError: the extra `protobuf` is not installed.
    """
    return load(source_of(text, lambda one: registry.text_version(one.subject, one.version).schema))


def as_record(message: Descriptor) -> Record:
    """Return the Avro record that messages are read as."""
    found = Record()
    found.schema = _record(message, "", (), {}, found) or {
        "type": "record",
        "name": message.name,
        "fields": [],
    }
    return found


def rows_of(
    message: Descriptor, indexes: Sequence[int], schema: Mapping[str, Any], records: Sequence[Any]
) -> list[tuple[Any, Mapping[str, Any]]]:
    """Return the records that hold such a message and can be read, with their rows."""
    read = reader(resolve(message, schema))
    found: list[tuple[Any, Mapping[str, Any]]] = []
    for record in records:
        try:
            at, body = split_indexes(wire.split(record.value)[1])
            if at == tuple(indexes):
                found.append((record, read(body)))
        except (PoisonError, UnreadableValueError, OutOfRangeError):
            continue
    return found


def most_indexes(records: Sequence[Any]) -> tuple[int, ...]:
    """Return the indexes of the message that most records hold; those of the first where none tells."""
    found: Counter[tuple[int, ...]] = Counter()
    for record in records:
        try:
            found[split_indexes(wire.split(record.value)[1])[0]] += 1
        except PoisonError:
            continue
    return found.most_common(1)[0][0] if found else (0,)


def _record(
    message: Descriptor,
    path: str,
    within: tuple[str, ...],
    named: dict[str, str],
    found: Record,
) -> Any:
    if message.full_name in within:
        found.left_out[path.rstrip(".")] = f"a {message.full_name} holds itself"
        return None
    if message.full_name in named:
        return named[message.full_name]
    # Names differ also where only those of their packages do.
    name = (
        message.name if message.name not in named.values() else message.full_name.replace(".", "_")
    )
    fields = []
    for one in message.fields:
        inner = f"{path}{one.name}"
        type_ = _type(one, inner, (*within, message.full_name), named, found)
        if not NAME.fullmatch(one.name):
            found.left_out[inner] = "a column's name begins with a letter"
        elif type_ is not None:
            fields.append({"name": one.name, **_nullable(one, type_, inner, found)})
    if not fields:
        found.left_out[path.rstrip(".") or message.full_name] = "it has no fields that are read"
        return None
    named[message.full_name] = name
    package = message.file.package
    return {
        "type": "record",
        "name": name,
        **({"namespace": package} if package and not within else {}),
        "fields": fields,
    }


def _nullable(one: FieldDescriptor, type_: Any, path: str, found: Record) -> dict[str, Any]:
    """Return type and default of a field that may be absent, or may not."""
    kind = one.message_type
    is_wrapper = kind is not None and kind.full_name in t.WRAPPERS
    if one.is_repeated or not one.has_presence:
        return {"type": type_}
    if kind is not None and kind.full_name == _TIMESTAMP and one.containing_oneof is None:
        found.guesses[path] = "it is always there; a record without it is a dead letter"
        return {"type": type_}
    if one.is_required and not is_wrapper:
        return {"type": type_}
    return {"type": ["null", type_], "default": None}


def _type(
    one: FieldDescriptor,
    path: str,
    within: tuple[str, ...],
    named: dict[str, str],
    found: Record,
) -> Any:
    kind = one.message_type
    if one.type == t.GROUP or (kind is not None and kind.full_name == "google.protobuf.Any"):
        found.left_out[path] = "groups and google.protobuf.Any are not read"
        return None
    if kind is None or not kind.GetOptions().map_entry:
        item = _item(one, path, within, named, found)
        return {"type": "array", "items": item} if item is not None and one.is_repeated else item
    if kind.fields_by_name["key"].type == t.STRING:
        values = _item(kind.fields_by_name["value"], path, within, named, found)
        return None if values is None else {"type": "map", "values": values}
    item = _record(kind, f"{path}.", within, named, found)
    if isinstance(item, dict):
        item = {**item, "name": f"{'_'.join(path.split('.'))}_entry"}
    return None if item is None else {"type": "array", "items": item}


def _item(
    one: FieldDescriptor,
    path: str,
    within: tuple[str, ...],
    named: dict[str, str],
    found: Record,
) -> Any:
    kind = one.message_type
    if kind is None:
        return _PLAIN.get(one.type, "long")
    if kind.full_name == _TIMESTAMP:
        return INSTANT
    if kind.full_name in t.WRAPPERS:
        return _PLAIN.get(kind.fields[0].type, "long")
    return _record(kind, f"{path}.", within, named, found)
