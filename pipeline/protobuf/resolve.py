"""Planning how messages of a schema are read as an Avro record: fields by name, types that hold the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pipeline.avro.decoding.ranges import INT, LONG, RANGES
from pipeline.avro.decoding.single import OutOfRangeError, UnreadableValueError, reader
from pipeline.avro.schema import Schema, kind_of, logical_of
from pipeline.protobuf.plan import (
    Absent,
    Field,
    Plan,
    Skipped,
    UnreadableSchemaError,
    Value,
    held,
)
from pipeline.protobuf.types import (
    BYTES,
    DOUBLE,
    ENUM,
    FLOAT,
    GROUP,
    INTEGERS,
    MESSAGE,
    NAMES,
    STRING,
    WRAPPERS,
)

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor, FieldDescriptor

_TIMESTAMP = "google.protobuf.Timestamp"
_ANY = "google.protobuf.Any"
_NANOS = {"millis": 1_000_000, "micros": 1_000}


def resolve(message: Descriptor, record: Mapping[str, Any]) -> Plan:
    """Return how messages are read as `record`, a valid Avro record that columns are made of.

    Fields have the record's names, or one of its aliases. What the record does not have is passed over.

    Raises:
        UnreadableSchemaError: a field has no counterpart and may not be absent, or one of another type.
    """
    schema = Schema(record)
    return Plan(message.full_name, _Resolution(schema).record(message, schema.root, ""))


class _Resolution:
    def __init__(self, schema: Schema) -> None:
        self._schema = schema

    def record(self, message: Descriptor, record: Any, path: str) -> Value:
        prefix = f"{path}." if path else ""
        wrote = message.fields_by_name
        fields: list[Field] = []
        for one in record["fields"]:
            names = [one["name"], *one.get("aliases", ())]
            found = next((wrote[name] for name in names if name in wrote), None)
            place = f"{prefix}{one['name']}"
            if found is None:
                fields.append(self._missing(message, one, place))
                continue
            value = self._field(found, one["type"], place)
            absent = self._absent(found, one, value, place)
            oneof = -1 if found.containing_oneof is None else found.containing_oneof.index
            always = message.GetOptions().map_entry
            fields.append(Field(one["name"], place, found.number, value, absent, oneof, always))
        read = {one.number for one in fields}
        oneofs = {one.oneof for one in fields}
        others = [
            one
            for one in message.fields
            if one.containing_oneof is not None
            and one.containing_oneof.index in oneofs
            and one.number not in read
        ]
        if any(one.type == GROUP for one in others):
            raise UnreadableSchemaError(
                f"{path or message.full_name}: a oneof with a group of proto2"
            )
        skipped = tuple(
            Skipped(one.number, one.type, one.containing_oneof.index)
            for one in others
            if one.containing_oneof is not None
        )
        return Value("record", MESSAGE, fields=tuple(fields), skipped=skipped)

    def _field(self, field: FieldDescriptor, type_: Any, path: str) -> Value:
        wanted = self._schema.branch(type_)
        kind = kind_of(wanted)
        is_map = field.type == MESSAGE and field.message_type.GetOptions().map_entry
        if is_map and kind == "map":
            key = field.message_type.fields_by_name["key"]
            if key.type != STRING:
                raise _other(path, f"a map by {NAMES[key.type]}", "a map, whose keys are texts")
            pair = [{"name": "key", "type": "string"}, {"name": "value", "type": wanted["values"]}]
            return Value(
                "map", item=self.record(field.message_type, {"fields": pair}, f"{path}{{}}")
            )
        if field.is_repeated:
            if kind != "array":
                raise _other(path, "a map" if is_map else "repeated", kind)
            item = self._single(field, wanted["items"], f"{path}[]")
            if is_map and {one.number for one in item.fields} != {1, 2}:
                raise _other(path, "a map", "an array of other records than of `key` and `value`")
            return Value("list", item=item, entries=is_map)
        if kind in ("array", "map"):
            raise _other(path, NAMES[field.type], kind)
        return self._single(field, type_, path)

    def _single(self, field: FieldDescriptor, type_: Any, path: str) -> Value:
        wanted = self._schema.branch(type_)
        kind, logical, type_of = kind_of(wanted), logical_of(wanted) or "", field.type
        if type_of == GROUP:
            raise UnreadableSchemaError(f"{path}: groups of proto2 are not read")
        if type_of == MESSAGE:
            return self._message(field.message_type, wanted, path)
        if logical == "decimal" and type_of == BYTES:
            precision, scale = wanted["precision"], wanted["scale"]
            return Value("decimal", BYTES, precision=precision, scale=scale)
        match kind:
            case "int" | "long" if type_of in INTEGERS or type_of == ENUM:
                return _integer(wanted, type_of)
            case "boolean" if NAMES[type_of] == "bool":
                return Value("boolean", type_of)
            case "double" if type_of in (DOUBLE, FLOAT):
                return Value("double", type_of)
            case "float" if type_of == FLOAT:
                return Value("float", type_of)
            case "string" if type_of == STRING:
                return Value("text", type_of)
            case "string" | "enum" if type_of == ENUM:
                return _enum(field, wanted)
            case "bytes" if type_of == BYTES and not logical:
                return Value("bytes", type_of)
            case "fixed" if type_of == BYTES and not logical:
                return Value("fixed", type_of, size=wanted["size"])
        raise _other(path, NAMES[type_of], logical or kind)

    def _message(self, message: Descriptor, wanted: Any, path: str) -> Value:
        kind, logical = kind_of(wanted), logical_of(wanted) or ""
        if message.full_name == _ANY:
            raise UnreadableSchemaError(f"{path}: {_ANY} is not read: its type is in each value")
        if kind == "record":
            return self.record(message, wanted, path)
        prefix, _, unit = logical.rpartition("-")
        if message.full_name == _TIMESTAMP and prefix == "timestamp" and unit in _NANOS:
            limits = RANGES[logical]
            return Value(
                "instant",
                MESSAGE,
                limits.low,
                limits.high,
                _NANOS[unit],
                f"a {logical} {limits.limit}",
            )
        if message.full_name in WRAPPERS:
            return Value("wrapper", MESSAGE, item=self._single(message.fields[0], wanted, path))
        raise _other(path, f"a {message.full_name}", logical or kind)

    def _missing(self, message: Descriptor, field: Any, path: str) -> Field:
        nullable = isinstance(field["type"], list) and "null" in field["type"]
        if "default" not in field and not nullable:
            raise UnreadableSchemaError(
                f"{path}: {message.full_name} has no such field, and it has no default"
            )
        # What is never read has no type of its own.
        return Field(field["name"], path, None, Value("record"), self._own(field, path))

    def _absent(self, wrote: FieldDescriptor, field: Any, value: Value, path: str) -> Absent:
        if value.kind in ("list", "map"):
            return Absent([])
        if wrote.containing_type.GetOptions().map_entry:
            return zero(value, path)
        return self._own(field, path) if wrote.has_presence else zero(value, path)

    def _own(self, field: Any, path: str) -> Absent:
        """Return what the record itself says of a field that is not there."""
        if "default" in field:
            one = {**field, "type": self._schema.standalone(field["type"])}
            empty = {"type": "record", "name": "Empty", "fields": []}
            try:
                read = reader(empty, {**empty, "fields": [one]})
                return Absent(read(b"")[field["name"]])
            except (UnreadableValueError, OutOfRangeError) as error:
                return Absent(refused=f"{error}")
        if isinstance(field["type"], list) and "null" in field["type"]:
            return Absent(None)
        return Absent(refused=f"{path}: not there, and it has no default")


def zero(value: Value, path: str) -> Absent:
    """Return what a field without presence is where it is not there: Protobuf's default of its type."""
    match value.kind:
        case "boolean":
            return Absent(value=False)
        case "float" | "double":
            return Absent(0.0)
        case "text":
            return Absent("")
        case "bytes":
            return Absent(b"")
        case "integer" | "instant":
            return Absent(0)
        case "enum":
            found = value.symbols.get(0)
            if found is None:
                return Absent(refused=f"{path}: {unknown_number(value, 0)}")
            return Absent(found)
        case "wrapper":
            return zero(held(value), path)
        case "record":
            # Of a map's entry, where it is there always.
            return Absent({})
        case "decimal":
            return Absent(refused=f"{path}: a decimal of no bytes")
    return Absent(refused=f"{path}: 0 bytes, not {value.size}")


def unknown_number(value: Value, number: int) -> str:
    """Return why a number of an enum is no value of the reader's."""
    called = f" ({value.names[number]})" if number in value.names else ""
    return f"number {number}{called} is no symbol, and there is no default"


def _integer(wanted: Any, type_: int) -> Value:
    kind, logical = kind_of(wanted), logical_of(wanted)
    low, high = INT if kind == "int" else LONG
    unit = RANGES.get(logical)
    if unit is None:
        return Value("integer", type_, low, high, 1, f"an integer outside those of {kind}")
    what = f"a {logical} {unit.limit}"
    return Value("integer", type_, max(low, unit.low), min(high, unit.high), unit.factor, what)


def _enum(field: FieldDescriptor, wanted: Any) -> Value:
    names: dict[int, list[str]] = {}
    for one in field.enum_type.values:
        names.setdefault(one.number, []).append(one.name)
    known = wanted["symbols"] if kind_of(wanted) == "enum" else None
    default = wanted.get("default") if isinstance(wanted, Mapping) else None
    symbols: dict[int, str | None] = {}
    for number, called in names.items():
        found = [name for name in called if known is None or name in known]
        symbols[number] = found[0] if found else default
    return Value(
        "enum",
        ENUM,
        symbols=symbols,
        names={number: called[0] for number, called in names.items()},
        default=default,
    )


def _other(path: str, wrote: str, wanted: str) -> UnreadableSchemaError:
    return UnreadableSchemaError(f"{path}: {wrote} is not read as {wanted}")
