"""From a file's texts and values to what an Avro schema holds: a converter, compiled from the schema."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from pipeline.avro.encode import named, plain
from pipeline.avro.logical_types import valid_logical
from pipeline.rows import numbers, times
from pipeline.rows.arrow_values import Pairs
from pipeline.rows.defaults import default_value
from pipeline.rows.json_text import parse_json
from pipeline.rows.numbers import NumberText, abbreviate

NULLS = frozenset({"", "NA", "NaN", "null", "NULL"})
"""Texts of a CSV that stand for no value."""

PER_SECOND = {"millis": 1000, "micros": 10**6, "nanos": 10**9}
_UUID = re.compile("[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ABSENT = object()

Converter = Callable[[Any], Any]


class RowError(ValueError):
    """A row does not fit the schema; the text says which column and why."""

    def __init__(self, problem: str, path: str = "") -> None:
        super().__init__(f"{path}: {problem}" if path else problem)
        self.problem = problem
        self.path = path

    def within(self, name: str) -> RowError:
        """Return the same of a part of the column, field or key `name`."""
        inner = self.path if not self.path or self.path.startswith("[") else f".{self.path}"
        return RowError(self.problem, f"{name}{inner}")


def row_converter(
    schema: Mapping[str, Any], *, texts: bool
) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """Return what turns a row, by column names, into a payload of `schema` as `encoder` takes it.

    `texts`: the row is of a CSV, whose `NULLS` are null, and whose records, arrays and maps are JSON. A
    column that is missing, or null where the field cannot be, takes the field's default; a nullable field
    without one is null. Raises RowError where anything would be lost or guessed.
    """
    root, names = named(schema)
    return _record(root, names, texts=texts)


def value_converter(schema: Any, *, texts: bool = False) -> Converter:
    """Return what turns one value, not null, into one of `schema`; see `row_converter`.

    Raises ValueError, TypeError or OverflowError where it does not fit.
    """
    root, names = named(schema)
    return _value(root, names, texts=texts)


def required_columns(schema: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the fields that must have a column: neither nullable nor with a default."""
    root, names = named(schema)
    return tuple(
        f["name"]
        for f in root["fields"]
        if "default" not in f and not _nullable(plain(f["type"], names), names)
    )


def _nullable(schema: Any, names: Mapping[str, Any]) -> bool:
    branches = schema if isinstance(schema, list) else [schema]
    return any(plain(branch, names)["type"] == "null" for branch in branches)


def _record(schema: Any, names: Mapping[str, Any], *, texts: bool) -> Converter:
    fields = [(f["name"], _field(f, names, texts=texts)) for f in schema["fields"]]

    def convert(row: Any) -> dict[str, Any]:
        if not isinstance(row, Mapping):
            raise TypeError(f"{abbreviate(row)} is not a record")
        found: dict[str, Any] = {}
        name = ""
        try:
            for name, of in fields:
                found[name] = of(row.get(name, _ABSENT))
        except RowError as error:
            raise error.within(name) from None
        except (ValueError, TypeError, OverflowError) as error:
            raise RowError(str(error), name) from None
        return found

    return convert


def _at(name: str, of: Converter, value: Any) -> Any:
    try:
        return of(value)
    except RowError as error:
        raise error.within(name) from None
    except (ValueError, TypeError, OverflowError) as error:
        raise RowError(str(error), name) from None


def _field(field: Mapping[str, Any], names: Mapping[str, Any], *, texts: bool) -> Converter:
    schema = plain(field["type"], names)
    convert = _value(schema, names, texts=texts)
    nullable, has_default = _nullable(schema, names), "default" in field
    default = default_value(field["default"], schema, names) if has_default else None
    inner = _other(schema, names)
    # A text that must have a value may well hold `NA`, or be empty; so may an enum have a symbol of it.
    text = inner["type"] in ("string", "bytes", "fixed") and valid_logical(inner) is None
    nulls = NULLS if texts and (nullable or has_default or not text) else frozenset()
    nulls -= frozenset(inner.get("symbols", ()))

    def of(value: Any) -> Any:
        if value is _ABSENT:
            if has_default:
                return default
            if nullable:
                return None
            raise ValueError("no value")
        if value is not None and not (nulls and value in nulls):
            return convert(value)
        if nullable:
            return None
        if has_default:
            return default
        raise ValueError("no value")

    return of


def _other(schema: Any, names: Mapping[str, Any]) -> Any:
    """Return a union's one type besides null; anything else as it is."""
    branches = [plain(one, names) for one in schema] if isinstance(schema, list) else [schema]
    others = [branch for branch in branches if branch["type"] != "null"]
    if len(others) > 1:
        raise ValueError("a union of more than one type besides null")
    return others[0] if others else {"type": "null"}


def _value(schema: Any, names: Mapping[str, Any], *, texts: bool) -> Converter:
    """Return the converter of a value that is not null, if `schema` may be null."""
    schema = _other(plain(schema, names), names)
    kind = schema["type"]
    match kind:
        case "record" | "error":
            of = _record(schema, names, texts=False)
        case "array":
            of = _array(_item(schema["items"], names))
        case "map":
            of = _map(_item(schema["values"], names))
        case _:
            return _logical(schema) or _primitive(schema)
    if not texts:
        return of
    return lambda value: of(parse_json(value) if isinstance(value, str) else value)


def _item(schema: Any, names: Mapping[str, Any]) -> Converter:
    return _field({"name": "", "type": schema}, names, texts=False)


def _array(item: Converter) -> Converter:
    def of(value: Any) -> list[Any]:
        if not isinstance(value, list | tuple) or isinstance(value, Pairs):
            raise TypeError(f"{abbreviate(value)} is not an array")
        return [_at(f"[{number}]", item, one) for number, one in enumerate(value)]

    return of


def _map(item: Converter) -> Converter:
    def of(value: Any) -> dict[str, Any]:
        if isinstance(value, Mapping):
            pairs = list(value.items())
        elif isinstance(value, Pairs):
            pairs = value
        else:
            raise TypeError(f"{abbreviate(value)} is not a map")
        found = {_text(key): _at(f"[{abbreviate(key)}]", item, one) for key, one in pairs}
        if len(found) < len(pairs):
            raise ValueError("a map with a key that is there twice")
        return found

    return of


def _logical(schema: Mapping[str, Any]) -> Converter | None:
    logical = valid_logical(schema) or ""
    prefix, _, unit = logical.rpartition("-")
    if prefix in ("timestamp", "local-timestamp"):
        local = prefix == "local-timestamp"
        return partial(times.instant, per_second=PER_SECOND[unit], local=local)
    if prefix == "time":
        return partial(times.clock, per_second=PER_SECOND[unit])
    if logical == "date":
        return times.day
    if logical == "decimal":
        precision, scale = schema["precision"], schema.get("scale", 0)
        return partial(numbers.fixed_point, precision=precision, scale=scale)
    if logical == "uuid":
        return _uuid_text if schema["type"] == "string" else _uuid_bytes
    return None


def _primitive(schema: Mapping[str, Any]) -> Converter:
    kind = schema["type"]
    if kind == "enum":
        symbols = frozenset(schema["symbols"])
        return lambda value: _symbol(value, symbols)
    if kind == "fixed":
        return lambda value: _sized(_bytes(value), schema["size"])
    converters: Mapping[str, Converter] = {
        "int": partial(numbers.whole, bits=32),
        "long": partial(numbers.whole, bits=64),
        "float": numbers.single,
        "double": numbers.double,
        "boolean": _boolean,
        "string": _text,
        "bytes": _bytes,
        "null": _null,
    }
    return converters[kind]


def _null(value: Any) -> None:
    raise TypeError(f"{abbreviate(value)} is not null")


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, Decimal) and value.is_snan():
        raise ValueError("a signalling NaN is neither true nor false")
    text = value.strip().lower() if isinstance(value, str) else value
    if text in ("true", "t", "1", "yes", 1):
        return True
    if text in ("false", "f", "0", "no", 0):
        return False
    raise ValueError(f"{abbreviate(value)} is neither true nor false")


def _text(value: Any) -> str:
    if isinstance(value, str):
        text = str(value)
    elif isinstance(value, bytes):
        text = _decoded(value)
    elif isinstance(value, times.Moment | times.Clock | times.Day):
        return times.iso(value)
    elif isinstance(value, UUID) or (
        isinstance(value, int | float) and not isinstance(value, bool)
    ):
        return str(value)
    elif hasattr(value, "isoformat"):
        return str(value.isoformat())
    elif type(value).__name__ == "Decimal":
        return format(value, "f")
    else:
        raise TypeError(f"{abbreviate(value)} is not a text")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ValueError(f"{abbreviate(text)} has half of a surrogate pair") from None
    return text


def _decoded(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise ValueError(f"{abbreviate(value)} is not UTF-8") from None


def _bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str) or isinstance(value, NumberText):
        raise TypeError(f"{abbreviate(value)} is neither bytes nor a text of them")
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        raise ValueError(
            f"{abbreviate(value)} has a character past U+00FF, which is no byte"
        ) from None


def _sized(value: bytes, size: int) -> bytes:
    if len(value) != size:
        raise ValueError(f"{abbreviate(value)} has {len(value)} bytes, not {size}")
    return value


def _symbol(value: Any, symbols: frozenset[str]) -> str:
    if not isinstance(value, str) or value not in symbols:
        raise ValueError(f"{abbreviate(value)} is not one of {', '.join(sorted(symbols))}")
    return str(value)


def _uuid_text(value: Any) -> str:
    text = str(UUID(bytes=value)) if isinstance(value, bytes) and len(value) == 16 else _text(value)
    if not _UUID.fullmatch(text):
        raise ValueError(f"{abbreviate(value)} is not a UUID")
    return text


def _uuid_bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        return _sized(value, 16)
    return UUID(_uuid_text(value)).bytes
