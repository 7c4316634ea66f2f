"""Whether parsed JSON is an Avro schema, as Avro Java judges: names, unions, symbols, sizes, defaults.

Stricter where Java lets through what no other library reads, or what it does not read itself: names are
ASCII, a name is defined once and before it is used, unions and enums are not empty, aliases are names, and
defaults are such as `pipeline.avro.defaults` says. More lenient in one: a type may stand within a `type`
of its own.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.avro.defaults import fits
from pipeline.avro.logical_types import LOGICAL_BASES
from pipeline.avro.normal import MAX_DEPTH, NAMED, PRIMITIVES, NotAvroError, full_name
from pipeline.avro.schema import Schema

__all__ = ["NotAvroError", "Problem", "problems", "require_avro"]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NAME_WORDS = "a name of letters, digits and _, not beginning with a digit; not"
_TYPE_WORDS = "a type, or the name of one defined before"
_ELSEWHERE = {
    "string": ("text", "varchar", "char", "str"),
    "int": ("integer", "int32", "short"),
    "long": ("bigint", "int64"),
    "double": ("number", "float64", "real"),
    "boolean": ("bool",),
    "bytes": ("binary",),
    "timestamp-micros": ("timestamp", "datetime", "timestamptz"),
}
"""A type, or logical type, and what others call it."""
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a schema.

    Attributes:
        path: keys and indexes from the schema's root.
        expected: what should be there, and what was found.
    """

    path: Path
    expected: str


def require_avro(schema: Any) -> None:
    """Return if `schema` is an Avro schema.

    Raises:
        NotAvroError: it is not; with the first thing that is wrong.
    """
    for problem in problems(schema):
        place = "/".join(str(step) for step in problem.path)
        raise NotAvroError(f"{place}: {problem.expected}" if place else problem.expected)


def problems(schema: Any) -> tuple[Problem, ...]:
    """Return all that is wrong with a schema; of defaults only where all else is right."""
    found = tuple(_Validator().part(schema, "", (), 0))
    return found or tuple(_defaults(Schema(schema)))


class _Validator:
    def __init__(self) -> None:
        self._known: set[str] = set()

    def part(self, schema: Any, space: str, path: Path, depth: int) -> Iterator[Problem]:
        if depth > MAX_DEPTH:
            yield Problem(path, f"no more than {MAX_DEPTH} types within each other")
        elif isinstance(schema, list):
            yield from self._union(schema, space, path, depth)
        elif isinstance(schema, str):
            if schema not in PRIMITIVES and self._full(schema, space) is None:
                yield Problem(path, f"{_TYPE_WORDS}; not {schema!r}{_meant(schema)}")
        elif not isinstance(schema, Mapping) or "type" not in schema:
            yield Problem(path, f"a type; not {_short(schema)}")
        else:
            kind = "record" if schema["type"] == "error" else schema["type"]
            if not isinstance(kind, str):
                yield from self.part(kind, space, (*path, "type"), depth + 1)
            elif kind in NAMED:
                yield from self._named(kind, schema, space, path, depth)
            elif kind in ("array", "map"):
                inner = "items" if kind == "array" else "values"
                if inner not in schema:
                    yield Problem(path, f"{inner} of the {kind}")
                else:
                    yield from self.part(schema[inner], space, (*path, inner), depth + 1)
            else:
                yield from self.part(kind, space, (*path, "type"), depth + 1)

    def _union(self, union: list[Any], space: str, path: Path, depth: int) -> Iterator[Problem]:
        if not union:
            yield Problem(path, "at least one type in the union")
        seen: set[str] = set()
        for number, branch in enumerate(union):
            place = (*path, number)
            found = list(self.part(branch, space, place, depth + 1))
            yield from found
            if found:
                continue
            kind = self._kind(branch, space)
            if kind is None:
                yield Problem(place, "no union within a union")
            elif kind in seen:
                yield Problem(place, f"each type once in a union; {kind} is here twice")
            else:
                seen.add(kind)

    def _kind(self, schema: Any, space: str) -> str | None:
        """Return what two branches of a union may not share; None for a union."""
        if isinstance(schema, list):
            return None
        if isinstance(schema, str):
            return schema if schema in PRIMITIVES else self._full(schema, space)
        kind = schema["type"]
        if isinstance(kind, str) and kind in (*NAMED, "error"):
            return full_name(schema, space)[0]
        return kind if kind in ("array", "map") else self._kind(kind, space)

    def _full(self, name: str, space: str) -> str | None:
        for full in (f"{space}.{name}" if space and "." not in name else name, name):
            if full in self._known:
                return full
        return None

    def _named(
        self, kind: str, schema: Mapping[str, Any], space: str, path: Path, depth: int
    ) -> Iterator[Problem]:
        name = schema.get("name")
        namespace = schema.get("namespace")
        dotted = name if isinstance(name, str) else ""
        if namespace and "." not in dotted:
            dotted = f"{namespace}.{dotted}"
        if name is None:
            yield Problem(path, f"a `name` of the {kind}")
            return
        if not all(map(_is_name, dotted.split("."))):
            yield Problem((*path, "name"), f"{_NAME_WORDS} {_short(dotted)}")
            return
        full, space = full_name(schema, space)
        if full in self._known:
            yield Problem((*path, "name"), f"each name for one type; {full} is defined before")
        if full in PRIMITIVES:
            yield Problem((*path, "name"), f"another name than the type {full}")
        self._known.add(full)
        yield from _aliases(schema, path, dotted=True)
        if kind == "record":
            yield from self._fields(schema, space, path, depth)
        elif kind == "fixed":
            size = schema.get("size")
            if type(size) is not int or not 0 < size < 2**31:
                yield Problem((*path, "size"), f"a number of bytes above 0; not {_short(size)}")
        else:
            yield from _symbols(schema, path)

    def _fields(
        self, record: Mapping[str, Any], space: str, path: Path, depth: int
    ) -> Iterator[Problem]:
        fields = record.get("fields")
        if not isinstance(fields, list):
            yield Problem(path, f"a list `fields` of the record {record['name']}")
            return
        seen: set[str] = set()
        for number, field in enumerate(fields):
            place = (*path, "fields", number)
            name = field.get("name") if isinstance(field, Mapping) else None
            if not isinstance(name, str) or not _is_name(name):
                yield Problem(place, f"{_NAME_WORDS} {_short(name)}")
                continue
            if name in seen:
                yield Problem(place, f"each field once; {name!r} is here twice")
            seen.add(name)
            yield from _aliases(field, place, dotted=False)
            if "type" not in field:
                yield Problem(place, f"a type of the field {name!r}")
            else:
                yield from self.part(field["type"], space, (*place, "type"), depth + 1)


def _symbols(enum: Mapping[str, Any], path: Path) -> Iterator[Problem]:
    place = (*path, "symbols")
    symbols = enum.get("symbols")
    if not isinstance(symbols, list) or not symbols:
        yield Problem(place, f"a list of symbols; not {_short(symbols)}")
        return
    for symbol in symbols:
        if not isinstance(symbol, str) or not _is_name(symbol):
            yield Problem(place, f"{_NAME_WORDS} {_short(symbol)}")
        elif symbols.count(symbol) > 1:
            yield Problem(place, f"each symbol once; {symbol!r} is here twice")
    if "default" in enum and enum["default"] not in symbols:
        yield Problem(
            (*path, "default"), f"one of the symbols as default; not {_short(enum['default'])}"
        )


def _aliases(schema: Mapping[str, Any], path: Path, *, dotted: bool) -> Iterator[Problem]:
    aliases = schema.get("aliases", [])
    place = (*path, "aliases")
    if not isinstance(aliases, list):
        yield Problem(place, f"a list of names; not {_short(aliases)}")
        return
    for alias in aliases:
        parts = alias.split(".") if dotted and isinstance(alias, str) else [alias]
        if not all(isinstance(part, str) and _is_name(part) for part in parts):
            yield Problem(place, f"{_NAME_WORDS} {_short(alias)}")


def _defaults(schema: Schema) -> Iterator[Problem]:
    def walk(part: Any, path: Path) -> Iterator[Problem]:
        if isinstance(part, list):
            for number, branch in enumerate(part):
                yield from walk(branch, (*path, number))
        elif isinstance(part, Mapping):
            for number, field in enumerate(part.get("fields", ())):
                place = (*path, "fields", number)
                if "default" in field and not fits(field["default"], field["type"], schema):
                    yield Problem(
                        (*place, "default"),
                        f"a default of the field's type; not {_short(field['default'])}",
                    )
                yield from walk(field["type"], (*place, "type"))
            for inner in ("items", "values"):
                if inner in part:
                    yield from walk(part[inner], (*path, inner))

    yield from walk(schema.root, ())


def _meant(name: str) -> str:
    """Return a hint at what was meant by a type that there is not; empty where nothing is near."""
    other = next((one for one, names in _ELSEWHERE.items() if name.lower() in names), name)
    if other in LOGICAL_BASES:
        inside = json.dumps({"type": LOGICAL_BASES[other][0], "logicalType": other})
        return f"; it is a logical type: {inside}"
    near = difflib.get_close_matches(other.lower(), PRIMITIVES, n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _is_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None


def _short(found: Any) -> str:
    return f"{found!r}"[:60]
