"""Levels of compatibility: which earlier versions a new one is held against, and in which direction."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.avro.compatibility import Incompatibility, IncompatibleSchemaError
from pipeline.avro.compatibility import incompatibilities as of_avro
from pipeline.avro.schema import Schema
from pipeline.protobuf.compatibility import incompatibilities as of_protobuf
from pipeline.protobuf.schema import ProtoSchema

Parsed = Schema | ProtoSchema

DEFAULT_LEVEL = "BACKWARD_TRANSITIVE"
LEVELS = (
    "NONE",
    "BACKWARD",
    "BACKWARD_TRANSITIVE",
    "FORWARD",
    "FORWARD_TRANSITIVE",
    "FULL",
    "FULL_TRANSITIVE",
)


def require_level(
    level: str, subject: str, schema: Parsed, earlier: Sequence[tuple[int, Parsed]]
) -> None:
    """Hold `schema` against earlier (version, schema), oldest first, as one of `LEVELS` demands.

    BACKWARD: it reads their data; FORWARD: they read its data; FULL: both. Against the last one, or with
    TRANSITIVE against each.

    Raises:
        IncompatibleSchemaError: with every incompatibility to every such version.
    """
    direction, _, transitive = level.partition("_")
    found = {}
    for version, other in earlier if transitive else earlier[-1:]:
        problems = [
            *(incompatibilities(schema, other) if direction in ("BACKWARD", "FULL") else ()),
            *(incompatibilities(other, schema) if direction in ("FORWARD", "FULL") else ()),
        ]
        if problems:
            found[version] = problems
    if found:
        raise IncompatibleSchemaError(subject, found, level)


def incompatibilities(reader: Parsed, writer: Parsed) -> Sequence[Incompatibility]:
    """Return why `reader` cannot read what was written with `writer`; none if it can."""
    if isinstance(reader, Schema) and isinstance(writer, Schema):
        return of_avro(reader, writer)
    if isinstance(reader, ProtoSchema) and isinstance(writer, ProtoSchema):
        return of_protobuf(reader, writer)
    return (Incompatibility("schemaType", "one is Avro, the other Protobuf"),)
