"""Reading one value at a time: slow, and the last word on what a value is or why it is none.

Resolves as `pipeline.avro.decoding.program` does, by Avro's specification and as Avro Java reads; what that
vouches for reads the same here. `tests/decoder` holds both to Avro Java.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from decimal import Context, Decimal
from typing import Any

import numpy as np

from pipeline.avro.decoding.ranges import INT, LONG, RANGES, unit_of
from pipeline.avro.defaults import encode, fits
from pipeline.avro.schema import Schema, kind_of, logical_of, same_name

_PROMOTED = {
    "int": ("int", "long", "float", "double"),
    "long": ("long", "float", "double"),
    "float": ("float", "double"),
    "string": ("string", "bytes"),
    "bytes": ("bytes", "string"),
}
"""What a writer's type may be read as."""
_EXACT = Context(prec=400)


class UnreadableValueError(ValueError):
    """The bytes are not what the schema says, or no value of the reader's; the text names the field."""


class OutOfRangeError(ValueError):
    """The bytes are sound, and a number is none that the field's column takes; the text names the field."""


class Input:
    """The bytes of one value, and what is sound about it and still no column's."""

    def __init__(self, body: bytes) -> None:
        self.body, self.place = body, 0
        self.out_of_range = ""

    @property
    def left(self) -> int:
        """How many bytes are left."""
        return len(self.body) - self.place

    def take(self, size: int, path: str) -> bytes:
        """Return the next bytes, exactly so many."""
        if not 0 <= size <= self.left:
            raise UnreadableValueError(f"{path}: {size} bytes wanted, {self.left} left")
        self.place += size
        return self.body[self.place - size : self.place]

    def integer(self, path: str) -> int:
        """Return the next Avro integer, of at most ten bytes."""
        found = shift = 0
        for byte in self.body[self.place : self.place + 10]:
            self.place += 1
            found |= (byte & 0x7F) << shift
            if byte < 0x80:
                return (found >> 1) ^ -(found & 1)
            shift += 7
        raise UnreadableValueError(f"{path}: an integer without an end")

    def note(self, path: str, what: str) -> None:
        """Note that the value of a field is out of its range."""
        self.out_of_range = self.out_of_range or f"{path}: {what}"


Read = Callable[[Input], Any]


def reader(writer: Mapping[str, Any], reads: Mapping[str, Any]) -> Callable[[bytes], Any]:
    """Return what reads values of `writer`, a record, as `reads`: dicts of what Arrow makes columns of.

    Times are integers of their columns' unit, decimals are Decimals. The values of `writer` must be bounded
    (see `pipeline.avro.decoding.bounded`). What is returned raises UnreadableValueError and OutOfRangeError.

    Raises:
        NotAvroError: one of them is no Avro schema.
    """
    wrote, wanted = Schema(writer), Schema(reads)
    read = _Resolution(wrote, wanted).value(wrote.root, wanted.root, "")

    def whole(body: bytes) -> Any:
        source = Input(body)
        found = read(source)
        if source.left:
            raise UnreadableValueError(f"{source.left} bytes follow the value")
        if source.out_of_range:
            raise OutOfRangeError(source.out_of_range)
        return found

    return whole


class _Resolution:
    def __init__(self, wrote: Schema, reads: Schema) -> None:
        self._wrote, self._reads = wrote, reads

    def value(self, w: Any, r: Any, path: str) -> Read:
        w, r = self._wrote.deref(w), self._reads.deref(r)
        if isinstance(w, list):
            return _chosen([self.value(branch, r, path) for branch in w], path)
        if isinstance(r, list):
            r = self._branch(w, r)
        kind, wanted = kind_of(w), kind_of(r)
        if kind != wanted:
            if wanted not in _PROMOTED.get(kind, ()) or logical_of(r) == "decimal":
                return _fail(path, f"{kind} is not read as {wanted}")
            return _integers(w, r, path) if kind in ("int", "long") else _promoted(kind, r, path)
        match kind:
            case "record":
                return self._record(w, r, path)
            case "array":
                return _items(self.value(w["items"], r["items"], f"{path}[]"), path)
            case "map":
                return _entries(self.value(w["values"], r["values"], f"{path}{{}}"), path)
            case "enum":
                return _symbol(w, r, path)
            case "fixed" if not same_name(w, r) or w["size"] != r["size"]:
                return _fail(path, f"fixed {w['name']} is not read as {r['name']}")
            case "int" | "long":
                return _integers(w, r, path)
        if logical_of(r) == "decimal":
            return _decimal(w, r, path)
        return _plain(kind, w, path)

    def _branch(self, w: Any, union: list[Any]) -> Any:
        """Return the first branch of the reader's union that reads `w`: of its own type, or promoted."""
        kind = kind_of(w)
        branches = [self._reads.deref(branch) for branch in union]
        own = [one for one in branches if kind_of(one) == kind]
        if kind in ("record", "enum", "fixed"):
            own.sort(key=lambda one: (one["name"] != w["name"], not same_name(w, one)))
        promoted = [one for one in branches if kind_of(one) in _PROMOTED.get(kind, ())]
        return next(iter([*own, *promoted]), None)

    def _record(self, w: Any, r: Any, path: str) -> Read:
        prefix = f"{path}." if path else ""
        left = {field["name"]: field for field in r["fields"]}
        steps: list[tuple[str | None, Read]] = []
        for field in w["fields"]:
            name = field["name"]
            read = left.pop(name, None)
            if read is None:
                aliased = (one for one in left.values() if name in one.get("aliases", ()))
                read = next(aliased, None)
                left.pop(read["name"] if read else "", None)
            if read is None:
                steps.append((None, self._skip(field["type"], f"{prefix}{name}")))
            else:
                place = f"{prefix}{read['name']}"
                steps.append((read["name"], self.value(field["type"], read["type"], place)))
        defaults = [(name, self._default(field, f"{prefix}{name}")) for name, field in left.items()]

        def record(source: Input) -> dict[str, Any]:
            found: dict[str, Any] = {}
            for name, step in steps:
                value = step(source)
                if name is not None:
                    found[name] = value
            for name, default in defaults:
                found[name] = default(source)
            return found

        return record

    def _default(self, field: Any, path: str) -> Read:
        if "default" not in field:
            return _fail(path, "not in the writer's schema, and has no default")
        if not fits(field["default"], field["type"], self._reads):
            return _fail(path, "the default is not of its type")
        body = encode(field["default"], field["type"], self._reads)
        read = _Resolution(self._reads, self._reads).value(field["type"], field["type"], path)

        def default(source: Input) -> Any:
            own = Input(body)
            found = read(own)
            source.out_of_range = source.out_of_range or own.out_of_range
            return found

        return default

    def _skip(self, w: Any, path: str) -> Read:
        w = self._wrote.deref(w)
        if isinstance(w, list):
            return _chosen([self._skip(branch, path) for branch in w], path)
        match kind_of(w):
            case "record":
                parts = [self._skip(f["type"], f"{path}.{f['name']}") for f in w["fields"]]

                def record(source: Input) -> None:
                    for part in parts:
                        part(source)

                return record
            case "array":
                return _items(self._skip(w["items"], f"{path}[]"), path)
            case "map":
                return _entries(self._skip(w["values"], f"{path}{{}}"), path, skipped=True)
            case "int" | "long" | "enum":
                return lambda source: source.integer(path)
            case "string":
                return _plain("bytes", w, path)
            case kind:
                return _plain(kind, w, path)


def _fail(path: str, what: str) -> Read:
    def read(_: Input) -> Any:
        raise UnreadableValueError(f"{path}: {what}")

    return read


def _chosen(branches: list[Read], path: str) -> Read:
    def read(source: Input) -> Any:
        number = source.integer(path)
        if not 0 <= number < len(branches):
            raise UnreadableValueError(f"{path}: no branch {number} of {len(branches)}")
        return branches[number](source)

    return read


def _integers(w: Any, r: Any, path: str) -> Read:
    kind, wanted = kind_of(w), kind_of(r)
    low, high = INT if kind == "int" else LONG
    if wanted in ("float", "double"):
        made = _single if wanted == "float" else float

        def number(source: Input) -> Any:
            found = source.integer(path)
            if not low <= found <= high:
                source.note(path, f"an integer outside those of {kind}")
                return None
            return made(found)

        return number
    factor, what = 1, ""
    least, most = low, high
    if logical_of(r) in RANGES:
        logical = unit_of(w, r)
        unit = RANGES[logical]
        factor, least, most = unit.factor, max(low, unit.low), min(high, unit.high)
        what = f"a {logical} {unit.limit}"

    def integer(source: Input) -> Any:
        found = source.integer(path)
        if least <= found <= most:
            return found * factor
        sound = low <= found <= high
        source.note(path, what if sound else f"an integer outside those of {kind}")
        return None

    return integer


def _single(number: int) -> float:
    # Rounded once: by way of a double it would be rounded twice.
    return float(np.int64(number).astype(np.float32))


def _promoted(kind: str, r: Any, path: str) -> Read:
    return _plain("float" if kind == "float" else kind_of(r), r, path)


def _plain(kind: str, schema: Any, path: str) -> Read:
    match kind:
        case "null":
            return lambda _: None
        case "boolean":

            def boolean(source: Input) -> bool:
                found = source.take(1, path)[0]
                if found > 1:
                    raise UnreadableValueError(f"{path}: a boolean that is neither 0 nor 1")
                return bool(found)

            return boolean
        case "float":
            return lambda source: struct.unpack("<f", source.take(4, path))[0]
        case "double":
            return lambda source: struct.unpack("<d", source.take(8, path))[0]
        case "bytes":
            return lambda source: source.take(source.integer(path), path)
        case "fixed":
            size = schema["size"]
            return lambda source: source.take(size, path)

    def text(source: Input) -> str:
        try:
            return source.take(source.integer(path), path).decode()
        except UnicodeDecodeError:
            raise UnreadableValueError(f"{path}: text that is not UTF-8") from None

    return text


def _decimal(w: Any, r: Any, path: str) -> Read:
    if logical_of(w) != "decimal" or w["scale"] != r["scale"]:
        return _fail(path, f"not a decimal of scale {r['scale']}")
    read, scale, limit = _plain(kind_of(w), w, path), r["scale"], 10 ** r["precision"]

    def decimal(source: Input) -> Decimal | None:
        body = read(source)
        if not body:
            raise UnreadableValueError(f"{path}: a decimal of no bytes")
        unscaled = int.from_bytes(body, "big", signed=True)
        if not -limit < unscaled < limit:
            source.note(path, f"a decimal of more than {r['precision']} digits")
            return None
        return Decimal(unscaled).scaleb(-scale, _EXACT)

    return decimal


def _symbol(w: Any, r: Any, path: str) -> Read:
    if not same_name(w, r):
        return _fail(path, f"enum {w['name']} is not read as {r['name']}")
    known, default = set(r["symbols"]), r.get("default")
    symbols: list[str | None] = [one if one in known else default for one in w["symbols"]]

    def symbol(source: Input) -> str:
        number = source.integer(path)
        if not 0 <= number < len(symbols):
            raise UnreadableValueError(f"{path}: no symbol {number} of {len(symbols)}")
        found = symbols[number]
        if found is None:
            raise UnreadableValueError(f"{path}: a symbol unknown to the reader, with no default")
        return found

    return symbol


def _items(read: Read, path: str) -> Read:
    def items(source: Input) -> list[Any]:
        found: list[Any] = []
        while count := _count(source, path):
            found.extend([read(source) for _ in range(count)])
        return found

    return items


def _entries(read: Read, path: str, *, skipped: bool = False) -> Read:
    key = _plain("bytes" if skipped else "string", None, path)

    def entries(source: Input) -> list[tuple[Any, Any]]:
        found: dict[Any, Any] = {}
        while count := _count(source, path):
            for _ in range(count):
                name = key(source)
                found[name] = read(source)
        return list(found.items())

    return entries


def _count(source: Input, path: str) -> int:
    """Return how many items the next block holds."""
    count = source.integer(path)
    if count < 0:
        count = -count
        source.integer(path)
    # An item takes a byte at least.
    if count > source.left:
        raise UnreadableValueError(f"{path}: {count} items in {source.left} bytes")
    return count
