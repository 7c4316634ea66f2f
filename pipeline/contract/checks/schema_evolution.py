"""What Avro would let pass in a new version of a schema, but a table, or a reader, cannot follow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipeline.avro import arrow
from pipeline.avro.schema import Schema, kind_of, logical_of

Path = tuple[str, ...]
SchemaMistake = tuple[Path, str]
"""Keys from the schema's root, a field by its name, and what should be there."""
EarlierFields = defaultdict[Path, defaultdict[str, set[str]]]
"""A record's path -> its fields in earlier versions -> the aliases that they had."""


def version_mistakes(schema: Schema) -> Iterator[SchemaMistake]:
    """Yield what is wrong with the names of one version's fields, whatever others said."""
    for path, record in records(schema, schema.root, ()):
        names = {field["name"] for field in record["fields"]}
        lower: dict[str, str] = {}
        claimed: dict[str, str] = {}
        for field in record["fields"]:
            name, place = field["name"], (*path, "fields", field["name"])
            twin = lower.setdefault(name.lower(), name)
            if twin != name:
                yield place, f"a name that differs from {twin!r} in more than case: SQL knows none"
            for alias in field.get("aliases", ()):
                owner = claimed.setdefault(alias, name)
                if alias in names - {name}:
                    yield place, f"no alias {alias!r}: it is the name of another field"
                elif owner != name:
                    yield place, f"no alias {alias!r}: it is one of {owner!r}"


def evolution_mistakes(
    schema: Schema, earlier: Sequence[tuple[str, Schema]]
) -> Iterator[SchemaMistake]:
    """Yield what keeps tables that hold `earlier` versions (file, schema) from following `schema`."""
    held: EarlierFields = defaultdict(lambda: defaultdict(set))
    late: dict[tuple[Path, str], set[str]] = defaultdict(set)
    for file, old in earlier:
        for path, expected in _Follow(old, schema, held, late).run():
            yield path, f"{expected} of {file}"
    for (path, name), aliases in late.items():
        # Not of a field that was renamed there and back.
        for alias in sorted(
            one for one in aliases & held[path].keys() if name not in held[path][one]
        ):
            expected = f"no alias {alias!r}: earlier versions have it as a field beside {name!r}"
            yield (*path, "fields", name), expected


def records(schema: Schema, part: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Yield every record where it is defined, with its path."""
    if isinstance(part, list):
        for number, branch in enumerate(part):
            yield from records(schema, branch, (*path, str(number)))
    elif isinstance(part, Mapping):
        if part["type"] == "record":
            yield path, part
        for field in part.get("fields", ()):
            yield from records(schema, field["type"], (*path, "fields", field["name"], "type"))
        for inner in ("items", "values"):
            if inner in part:
                yield from records(schema, part[inner], (*path, inner))


class _Follow:
    def __init__(
        self,
        old: Schema,
        new: Schema,
        held: EarlierFields,
        late: dict[tuple[Path, str], set[str]],
    ) -> None:
        self._old, self._new, self._held, self._late = old, new, held, late
        self._within: set[str] = set()

    def run(self) -> Iterator[SchemaMistake]:
        yield from self._part(self._old.root, self._new.root, ())

    def _part(self, was: Any, now: Any, path: Path) -> Iterator[SchemaMistake]:
        now = self._new.deref(now)
        if isinstance(now, list) and self._new.branch(now) is not None:
            number = next(i for i, one in enumerate(now) if one != "null")
            path = (*path, str(number))
        was, now = self._old.branch(was), self._new.branch(now)
        if was is None or now is None:
            return
        kinds = kind_of(was), kind_of(now)
        if kinds == ("record", "record"):
            if now["name"] not in self._within:
                self._within.add(now["name"])
                yield from self._record(was, now, path)
                self._within.discard(now["name"])
        elif kinds == ("array", "array"):
            yield from self._part(was["items"], now["items"], (*path, "items"))
        elif kinds == ("map", "map"):
            yield from self._part(was["values"], now["values"], (*path, "values"))
        elif not {"record", "array", "map"} & set(kinds):
            yield from self._leaf(was, now, path)

    def _leaf(self, was: Any, now: Any, path: Path) -> Iterator[SchemaMistake]:
        logical, wanted = logical_of(was), logical_of(now)
        if logical != wanted:
            yield path, f"no other logical type ({wanted}) than that ({logical})"
            return
        try:
            types = arrow.column_type(was), arrow.column_type(now)
        except arrow.UnsupportedTypeError:
            return
        if types[0] != types[1] and not arrow.promotes(*types):
            text = f"a type that an Iceberg column of type {types[0]} can be widened to, not {types[1]},"
            yield path, text

    def _record(self, was: Any, now: Any, path: Path) -> Iterator[SchemaMistake]:
        written = {field["name"]: field for field in was["fields"]}
        matched: dict[str, str] = {}
        for field in now["fields"]:
            name, place = field["name"], (*path, "fields", field["name"])
            sources = [one for one in (name, *field.get("aliases", ())) if one in written]
            if not sources:
                continue
            source = written[sources[0]]
            matched[sources[0]] = name
            kept = {name, *field.get("aliases", ())}
            for alias in source.get("aliases", ()):
                if alias not in kept:
                    yield place, f"the alias {alias!r} that it has by the schema"
            if sources[0] == name:
                self._late[path, name] |= set(field.get("aliases", ())) - {
                    name,
                    *source.get("aliases", ()),
                }
            elif was["name"] not in (now["name"], *now.get("aliases", ())):
                yield (
                    place,
                    f"an alias {was['name']!r} of its record too: Avro looks at aliases of fields "
                    "in records of one name only, and this is the name",
                )
            yield from self._part(source["type"], field["type"], (*place, "type"))
        for field in was["fields"]:
            self._held[path][field["name"]] |= set(field.get("aliases", ()))
        yield from _used_again(was, now, matched, path)


def _used_again(
    was: Any, now: Any, matched: Mapping[str, str], path: Path
) -> Iterator[SchemaMistake]:
    for field in was["fields"]:
        heir = matched.get(field["name"])
        for other in now["fields"]:
            if other["name"] == heir:
                continue
            place = (*path, "fields", other["name"])
            names = {other["name"], *other.get("aliases", ())}
            for former in names & set(field.get("aliases", ())) - {field["name"]}:
                yield place, f"not {former!r}, a former name of {field['name']!r}, by the schema"
            if (
                other["name"].lower() == field["name"].lower()
                and other["name"] != field["name"]
                and other["name"] not in matched.values()
            ):
                text = f"a name that differs in more than case from the field {field['name']!r}"
                yield place, text
