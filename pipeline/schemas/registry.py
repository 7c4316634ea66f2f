"""The registry port: which schema an id stands for, and which versions a subject has.

`tests/contracts/test_registry.py` states its behaviour and runs over every implementation.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.errors import PoisonError, RetryableError, TerminalError


class SchemaNotFoundError(PoisonError):
    """The registry answered, and there is no such schema."""


class RegistryUnavailableError(RetryableError):
    """The registry did not answer; nothing is known about the schema."""


class InvalidSchemaError(TerminalError):
    """The schema is not Avro."""


class RegistryConflictError(TerminalError):
    """A subject's versions are not those of the contract."""


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


class Registry(Protocol):
    """Schemas by id and by subject. Any method may raise RegistryUnavailableError."""

    def register(self, subject: str, schema: Mapping[str, Any]) -> SchemaRef:
        """Return the subject's version that holds `schema`, added if absent. Idempotent, atomic.

        Equal schemas (JSON, keys in any order) have one id, under however many subjects and however
        many processes register them at once.

        Raises:
            InvalidSchemaError: not an Avro schema.
            IncompatibleSchemaError: data of an earlier version could not be read with it.
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

    def subjects(self) -> Sequence[str]:
        """Return every subject, sorted."""


def open_registry(cell: Cell) -> Registry:
    """Open the cell's registry, creating an embedded one that is absent.

    Raises:
        RegistryUnavailableError: it cannot be opened now.
    """
    # Here, because an implementation needs the port above.
    from pipeline.schemas.sqlite import SqliteRegistry

    return SqliteRegistry(cell.registry_db)


def register_product(registry: Registry, product: Product) -> Mapping[str, SchemaRef]:
    """Register all schemas of a product; return its subjects with their newest versions.

    `<topic>-value` holds the envelope, `<topic>-payload` the payload's versions; without an envelope
    the payload's versions are under `<topic>-value`. Idempotent; not atomic over several schemas, and
    safe to do again. A contract older than the registry, which lists the first of its versions, goes on
    with those: the newest that it lists is what is returned.

    Raises:
        InvalidSchemaError, IncompatibleSchemaError: as `Registry.register`.
        RegistryConflictError: a version of the payload has another number than in the contract.
    """
    refs: dict[str, SchemaRef] = {}
    if product.envelope_schema is not None:
        refs[product.value_subject] = registry.register(
            product.value_subject, product.envelope_schema
        )
    _refuse_other_versions(registry, product)
    for number, schema in enumerate(product.payload_schemas, start=1):
        ref = registry.register(product.payload_subject, schema)
        if ref.version != number:
            raise RegistryConflictError(
                f"the contract's payload schema {number} is the registry's version {ref.version}.",
                subject=product.payload_subject,
                remedy="List every registered version in the contract, oldest first.",
            )
        refs[product.payload_subject] = ref
    return refs


def _refuse_other_versions(registry: Registry, product: Product) -> None:
    """Refuse a contract that has another schema than the registry's under some number, and add none."""
    for number, schema in enumerate(product.payload_schemas, start=1):
        try:
            known = registry.version(product.payload_subject, number)
        except SchemaNotFoundError:
            return
        if canonical(known.schema) != canonical(schema):
            raise RegistryConflictError(
                f"the contract's payload schema {number} is not the registry's version {number}.",
                subject=product.payload_subject,
                remedy="List every registered version in the contract, oldest first.",
            )


def canonical(schema: Mapping[str, Any]) -> str:
    """Return the text that equal schemas share: JSON with sorted keys and no spaces."""
    return json.dumps(schema, sort_keys=True, separators=(",", ":"))
