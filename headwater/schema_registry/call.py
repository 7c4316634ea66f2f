"""What one call asks for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from headwater.schema_registry.errors import ApiError, invalid_schema
from pipeline.schemas.levels import LEVELS
from pipeline.schemas.protobuf import plain
from pipeline.schemas.registry import canonical
from pipeline.schemas.texts import AVRO, PROTOBUF, from_document

MODES = ("READWRITE", "READONLY", "READONLY_OVERRIDE")

_NO_ID = 2**63 - 1
"""The greatest number that SQLite takes: no schema has it."""


@dataclass(frozen=True)
class Call:
    """One call, read only as far as it has to be: each method raises ApiError for what it cannot take."""

    path: Mapping[str, str]
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def subject(self) -> str:
        """The subject in the path; empty where it has none."""
        return self.path.get("subject", "")

    @property
    def schema_id(self) -> int:
        """The id in the path."""
        return min(int(self.path["id"]), _NO_ID)

    def flag(self, name: str) -> bool:
        """Whether the query says so."""
        return self.query.get(name, "false").lower() == "true"

    def version(self) -> int | None:
        """Return the version in the path; None for the latest."""
        text = self.path["version"]
        if text in ("latest", "-1"):
            return None
        if not text.isdecimal() or not 0 < int(text) < 2**31:
            raise ApiError(
                42202,
                f"The specified version '{text}' is not a valid version id. Allowed values are between"
                ' [1, 2^31-1] and the string "latest"',
            )
        return int(text)

    def document(self) -> Mapping[str, Any]:
        """Return the body."""
        try:
            document = json.loads(self.body)
        except ValueError as error:
            raise ApiError(400, f"The body is not JSON: {error}") from None
        if not isinstance(document, dict):
            raise ApiError(422, "The body is no JSON object")
        return document

    def schema(self) -> Any:
        """Return the schema in the body: of Avro parsed, of Protobuf a `SchemaText`."""
        document = self.document()
        kind = document.get("schemaType") or AVRO
        if kind not in (AVRO, PROTOBUF):
            raise invalid_schema(
                f"schemas of type {kind} are not supported, {AVRO} and {PROTOBUF} are"
            )
        for name in ("metadata", "ruleSet", *(("references",) if kind == AVRO else ())):
            if document.get(name):
                raise invalid_schema(f"{name} are not supported: a schema stands for itself")
        if document.get("id", -1) not in (None, -1) or document.get("version", 0) not in (
            None,
            0,
            -1,
        ):
            raise ApiError(42205, "Ids and versions are given here: mode IMPORT is not supported")
        try:
            found = from_document(document)
            if kind == PROTOBUF:
                return plain(found)
        except ValueError as error:
            raise invalid_schema(f"{error}") from None
        try:
            schema = json.loads(found.text)
            canonical(schema)
        except (ValueError, RecursionError) as error:
            raise invalid_schema(f"not JSON: {error}") from None
        return schema

    def level(self) -> str:
        """Return the level of compatibility in the body."""
        level = self._word("compatibility")
        if level not in LEVELS:
            raise ApiError(
                42203, f"Invalid compatibility level. Valid values are {', '.join(LEVELS)}"
            )
        return level

    def mode(self) -> str:
        """Return the mode in the body."""
        mode = self._word("mode")
        if mode in ("IMPORT", "FORWARD"):
            raise ApiError(42205, f"Mode {mode} is not supported")
        if mode not in MODES:
            raise ApiError(42204, f"Invalid mode. Valid values are {', '.join(MODES)}")
        return mode

    def _word(self, name: str) -> str:
        """Return a word in the body in capitals; empty if there is none."""
        word = self.document().get(name)
        return word.upper() if isinstance(word, str) else ""
