"""Schemas as registries keep them: a text of some type, which may refer to other subjects' versions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

AVRO, PROTOBUF = "AVRO", "PROTOBUF"
_PREFIX = f"{PROTOBUF} "


@dataclass(frozen=True)
class Reference:
    """A schema that another imports: by which name, and which version of which subject it is."""

    name: str
    subject: str
    version: int


@dataclass(frozen=True)
class SchemaText:
    """A schema as it was registered. `type` is Confluent's: AVRO, PROTOBUF, JSON."""

    type: str
    text: str
    references: tuple[Reference, ...] = ()

    @property
    def document(self) -> dict[str, Any]:
        """What Confluent's API tells of it; of Avro it tells no type."""
        told: dict[str, Any] = {} if self.type == AVRO else {"schemaType": self.type}
        told["schema"] = self.text
        if self.references:
            told["references"] = [vars(one) for one in self.references]
        return told


@dataclass(frozen=True)
class TextRef:
    """One version of a subject; see `SchemaRef`."""

    subject: str
    version: int
    id: int
    schema: SchemaText


def is_protobuf(canonical: str) -> bool:
    """Return whether the text that equal schemas share is of Protobuf: no JSON begins so."""
    return canonical.startswith(_PREFIX)


def canonical_protobuf(descriptor: bytes, references: tuple[Reference, ...]) -> str:
    """Return the text that equal Protobuf schemas share."""
    referred = json.dumps([[one.name, one.subject, one.version] for one in references])
    return f"{_PREFIX}{descriptor.hex()} {referred}"


def stored_text(schema: SchemaText) -> str:
    """Return what a store keeps of a schema that is not Avro: JSON, as of all of them."""
    return json.dumps(schema.document)


def from_stored(canonical: str, stored: str) -> SchemaText:
    """Return the schema that a store keeps, by what equal ones share and by its text."""
    found = json.loads(stored)
    if not is_protobuf(canonical):
        return SchemaText(AVRO, json.dumps(found, separators=(",", ":")))
    return from_document(found)


def from_document(document: Mapping[str, Any]) -> SchemaText:
    """Return the schema of a body of Confluent's API; of a type that is not told, Avro.

    Raises:
        ValueError: its parts are not what they should be.
    """
    text, kind = document.get("schema"), document.get("schemaType") or AVRO
    if not isinstance(text, str) or not text or not isinstance(kind, str):
        raise ValueError("Empty schema")
    found = []
    for one in document.get("references") or ():
        name, subject, version = (one.get(key) for key in ("name", "subject", "version"))
        if not isinstance(name, str) or not isinstance(subject, str) or type(version) is not int:
            raise ValueError("a reference has a name, a subject and a version")
        found.append(Reference(name, subject, version))
    return SchemaText(kind, text, tuple(found))
