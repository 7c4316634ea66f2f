"""The registry port: which schema an id stands for, and which versions a subject has.

`tests/contracts/test_registry.py` states its behaviour and runs over every implementation.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pipeline.avro.validity import NotAvroError, require_avro
from pipeline.errors import PoisonError, RetryableError, TerminalError
from pipeline.schemas.texts import SchemaText, TextRef


class SchemaNotFoundError(PoisonError):
    """The registry answered, and there is no such schema."""


class RegistryUnavailableError(RetryableError):
    """The registry did not answer; nothing is known about the schema."""


class RegistryRefusedError(TerminalError):
    """The registry, or what stands before it, does not do what it is asked: denied, not permitted."""


class RegistryDamagedError(TerminalError):
    """What the registry keeps its schemas in is broken; nothing is known about the schema."""


class RegistryLostError(TerminalError):
    """The registry is not there, and tables hold what was read by its schemas."""


class InvalidSchemaError(TerminalError):
    """The schema is none of its type."""


@dataclass(frozen=True)
class SchemaRef:
    """One version of a subject.

    Attributes:
        id: stands for the schema's text in the whole registry; never used for another.
        version: counted from 1 within the subject, without holes.
        schema: parsed JSON, in the words it was registered in.
    """

    subject: str
    version: int
    id: int
    schema: Mapping[str, Any]


class Schemas(Protocol):
    """Schemas of Avro, by id and by subject: it finds none of another type.

    Any method may raise RegistryUnavailableError, RegistryRefusedError, RegistryDamagedError or
    DiskFullError.
    """

    def schema(self, schema_id: int) -> dict[str, Any]:
        """Return the schema of an id.

        Raises:
            SchemaNotFoundError: no such id.
        """

    def version(self, subject: str, version: int) -> SchemaRef:
        """Return one version of a subject.

        Raises:
            SchemaNotFoundError: no such subject or version.
        """

    def latest(self, subject: str) -> SchemaRef:
        """Return the newest version of a subject.

        Raises:
            SchemaNotFoundError: no such subject.
        """


class Registry(Schemas, Protocol):
    """Schemas that are registered, of whatever type; its methods may raise what those of `Schemas` may."""

    def register(self, subject: str, schema: Mapping[str, Any]) -> SchemaRef:
        """Return the subject's version that holds `schema`, added if absent. Idempotent, atomic.

        Equal schemas (JSON, keys in any order) have one id, under however many subjects and however
        many processes register them at once.

        Raises:
            InvalidSchemaError: not an Avro schema.
            IncompatibleSchemaError: data of an earlier version could not be read with it.
        """

    def register_text(self, subject: str, schema: SchemaText) -> TextRef:
        """Return the subject's version that holds a Protobuf schema, as `register` does for Avro.

        Equal are those of which protoc makes the same, and which refer to the same.

        Raises:
            InvalidSchemaError: not a Protobuf schema, or what it refers to is not registered.
            IncompatibleSchemaError: data of an earlier version could not be read with it.
            ProtocMissingError: the extra `protobuf` is not installed.
        """

    def text(self, schema_id: int) -> SchemaText:
        """Return the schema of an id, of whatever type.

        Raises:
            SchemaNotFoundError: no such id.
        """

    def text_version(self, subject: str, version: int | None = None) -> TextRef:
        """Return one version of a subject, the newest where none is named, of whatever type.

        Raises:
            SchemaNotFoundError: no such subject or version.
        """

    def subjects(self) -> Sequence[str]:
        """Return every subject, sorted."""


def canonical(schema: Mapping[str, Any]) -> str:
    """Return the text that equal schemas share: JSON with sorted keys and no spaces."""
    return json.dumps(schema, sort_keys=True, separators=(",", ":"))


def as_mapping(schema: Any) -> dict[str, Any]:
    """Return a parsed schema as the port has it: a name or a union within a `type`, which means the same."""
    return schema if isinstance(schema, dict) else {"type": schema}


def require_valid(subject: str, schema: Any) -> None:
    """Return if `schema` is an Avro schema.

    Raises:
        InvalidSchemaError: it is not; with the first thing that is wrong.
    """
    try:
        require_avro(schema)
    except NotAvroError as error:
        raise InvalidSchemaError(
            f"not an Avro schema: {error}.", subject=subject, remedy="Correct the schema."
        ) from None


def not_found(what: str) -> SchemaNotFoundError:
    """Return the error that says so."""
    return SchemaNotFoundError(
        f"{what} is not registered.",
        subject="schema registry",
        remedy="Register it, then replay the dead letters.",
    )
