"""A registry of a few schemas, in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.schemas.registry import SchemaNotFoundError, SchemaRef
from pipeline.schemas.texts import SchemaText, TextRef


@dataclass
class Schemas:
    """Schemas by id; `versions` are the ids of a subject's versions, whatever its name."""

    by_id: dict[int, Mapping[str, Any]]
    versions: Sequence[int] = field(default=())

    def schema(self, schema_id: int) -> dict[str, Any]:
        if schema_id not in self.by_id:
            raise SchemaNotFoundError("no such id.", subject=f"{schema_id}", remedy="")
        return dict(self.by_id[schema_id])

    def version(self, subject: str, version: int) -> SchemaRef:
        if not 0 < version <= len(self.versions):
            raise SchemaNotFoundError("no such version.", subject=subject, remedy="")
        number = self.versions[version - 1]
        return SchemaRef(subject, version, number, self.schema(number))

    def latest(self, subject: str) -> SchemaRef:
        return self.version(subject, len(self.versions))

    def register(self, subject: str, schema: Mapping[str, Any]) -> SchemaRef:
        raise NotImplementedError

    def register_text(self, subject: str, schema: SchemaText) -> TextRef:
        raise NotImplementedError

    def text(self, schema_id: int) -> SchemaText:
        raise NotImplementedError

    def text_version(self, subject: str, version: int | None = None) -> TextRef:
        raise NotImplementedError

    def subjects(self) -> Sequence[str]:
        raise NotImplementedError
