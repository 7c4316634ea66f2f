"""Whether data written with one Avro schema can be read with another, by Avro's resolution rules.

Agrees with Java Avro's SchemaCompatibility, and goes beyond it where that lets through what a reader
then refuses, or reads as another value: a decimal is read by one of equal scale and as many digits or more,
and a writer's field feeds one field of the reader, its namesake before an alias.
docs/reference/compatibility.md lists changes with both judgements.

Not looked at: other logical types (see `pipeline.contract.checks.schema_evolution`), and whether bytes
promoted to a string hold UTF-8, which only the data can tell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.avro.normal import NAMED
from pipeline.avro.schema import Schema, kind_of, logical_of, same_name
from pipeline.errors import TerminalError

PROMOTIONS = {
    ("int", "long"),
    ("int", "float"),
    ("int", "double"),
    ("long", "float"),
    ("long", "double"),
    ("float", "double"),
    ("string", "bytes"),
    ("bytes", "string"),
}
"""(writer, reader) pairs of primitive types."""


@dataclass(frozen=True, order=True)
class Incompatibility:
    """One reason why the reader cannot read all that the writer may write.

    Attributes:
        path: place in the reader's schema, e.g. `/fields/device/type`.
        problem: what the two say there.
    """

    path: str
    problem: str

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"


class IncompatibleSchemaError(TerminalError):
    """A schema and an earlier version of its subject cannot read each other's data as they have to.

    Attributes:
        incompatibilities: version -> every reason.
    """

    def __init__(
        self,
        subject: str,
        incompatibilities: Mapping[int, Sequence[Incompatibility]],
        level: str = "BACKWARD_TRANSITIVE",
    ) -> None:
        self.incompatibilities = {v: tuple(found) for v, found in incompatibilities.items()}
        listed = "".join(
            f"\n  version {version} {one}"
            for version, found in self.incompatibilities.items()
            for one in found
        )
        super().__init__(
            "the schema cannot read data of earlier versions (BACKWARD_TRANSITIVE)."
            if level == "BACKWARD_TRANSITIVE"
            else f"the schema does not go with earlier versions ({level}).",
            subject=subject,
            remedy=f"Give new fields defaults and keep or widen old types:{listed}",
        )


def check(reader: Mapping[str, Any], writer: Mapping[str, Any]) -> tuple[Incompatibility, ...]:
    """Return every reason why `reader` cannot read data of `writer`; none if it can. Both valid Avro."""
    return incompatibilities(Schema(reader), Schema(writer))


def incompatibilities(reader: Schema, writer: Schema) -> tuple[Incompatibility, ...]:
    """Return what `check` does, of schemas that are parsed already."""
    return tuple(sorted(set(_Check(reader, writer).run())))


class _Check:
    def __init__(self, reader: Schema, writer: Schema) -> None:
        self._reader, self._writer = reader, writer
        self._in_progress: set[tuple[str, str]] = set()

    def run(self) -> list[Incompatibility]:
        return self._types(self._reader.root, self._writer.root, "")

    def _types(self, reader: Any, writer: Any, path: str) -> list[Incompatibility]:
        reader, writer = self._reader.deref(reader), self._writer.deref(writer)
        if isinstance(reader, str) and reader == writer:
            return []
        if isinstance(writer, list):
            return [problem for branch in writer for problem in self._types(reader, branch, path)]
        if isinstance(reader, list):
            return self._union(reader, writer, path)
        kind, written = kind_of(reader), kind_of(writer)
        if kind != written:
            if (written, kind) in PROMOTIONS:
                return []
            return [_problem(path, f"{_show(reader)} cannot read {_show(writer)}")]
        if kind in NAMED:
            return self._named(reader, writer, path)
        if kind == "array":
            return self._types(reader["items"], writer["items"], f"{path}/items")
        if kind == "map":
            return self._types(reader["values"], writer["values"], f"{path}/values")
        return _decimals(reader, writer, path)

    def _union(self, reader: list[Any], writer: Any, path: str) -> list[Incompatibility]:
        problems: list[Incompatibility] = []
        for index, branch in enumerate(reader):
            found = self._types(branch, writer, f"{path}/{index}")
            if not found:
                return []
            if _show(self._reader.deref(branch)) == _show(writer):
                problems = found
        return problems or [_problem(path, f"no branch of the union reads {_show(writer)}")]

    def _named(self, reader: Any, writer: Any, path: str) -> list[Incompatibility]:
        pair = (reader["name"], writer["name"])
        if pair in self._in_progress:
            return []
        problems: list[Incompatibility] = []
        if not same_name(writer, reader):
            problems.append(_problem(path, f"{_show(reader)} is not named {writer['name']}"))
        if reader["type"] == "fixed":
            if reader["size"] != writer["size"]:
                sizes = f"{reader['size']} bytes cannot read {writer['size']} bytes"
                problems.append(_problem(f"{path}/size", sizes))
            return problems + _decimals(reader, writer, path)
        if reader["type"] == "enum":
            missing = [s for s in writer["symbols"] if s not in reader["symbols"]]
            if missing and not reader.get("default"):
                text = f"no symbol {', '.join(missing)}, and no default"
                problems.append(_problem(f"{path}/symbols", text))
            return problems
        self._in_progress.add(pair)
        problems += self._fields(reader, writer, path)
        self._in_progress.discard(pair)
        return problems

    def _fields(self, reader: Any, writer: Any, path: str) -> list[Incompatibility]:
        written = {field["name"]: field for field in writer["fields"]}
        own_names = {field["name"] for field in reader["fields"]}
        problems: list[Incompatibility] = []
        fed: set[str] = set()
        for field in reader["fields"]:
            aliases = [alias for alias in field.get("aliases", ()) if alias not in own_names]
            names = dict.fromkeys((field["name"], *aliases))
            sources = [name for name in names if name in written and name not in fed]
            place = f"{path}/fields/{field['name']}"
            if len(sources) > 1:
                problems.append(_problem(place, f"reads one field; not {', '.join(sources)}"))
            elif sources:
                fed.add(sources[0])
                problems += self._types(field["type"], written[sources[0]]["type"], f"{place}/type")
            elif "default" not in field:
                problems.append(_problem(place, "not in the writer's schema, and has no default"))
        return problems


def _decimals(reader: Any, writer: Any, path: str) -> list[Incompatibility]:
    if logical_of(reader) != "decimal" or logical_of(writer) != "decimal":
        return []
    ours, theirs = (_decimal(schema) for schema in (reader, writer))
    if ours[1] == theirs[1] and ours[0] >= theirs[0]:
        return []
    return [_problem(path, f"decimal{ours} cannot read decimal{theirs}")]


def _decimal(schema: Any) -> tuple[int, int]:
    return schema["precision"], schema["scale"]


def _problem(path: str, text: str) -> Incompatibility:
    return Incompatibility(path or "/", text)


def _show(schema: Any) -> str:
    kind = kind_of(schema)
    return f"{kind} {schema['name']}" if kind in NAMED else kind
