"""Levels of compatibility: which earlier versions a new one is held against, and in which direction."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.avro.compatibility import IncompatibleSchemaError, incompatibilities
from pipeline.avro.schema import Schema

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
    level: str, subject: str, schema: Schema, earlier: Sequence[tuple[int, Schema]]
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
