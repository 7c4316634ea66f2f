"""A product's schemas in a registry, under the numbers that its contract gives them."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.contract.model import Product
from pipeline.errors import TerminalError
from pipeline.protobuf.from_avro import proto_texts
from pipeline.schemas.registry import Registry, SchemaNotFoundError, SchemaRef, canonical
from pipeline.schemas.texts import PROTOBUF, SchemaText, TextRef


class RegistryConflictError(TerminalError):
    """A subject's versions are not those of the contract."""


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


def register_protobuf(registry: Registry, product: Product) -> TextRef:
    """Register the Protobuf schemas of a product's values; return the newest of them.

    They are those that the contract names, or else what is made of its payload's versions. Idempotent; a
    subject may have others before, between and after them.

    Raises:
        InvalidSchemaError, IncompatibleSchemaError, ProtocMissingError: as `Registry.register_text`.
    """
    texts = product.proto or proto_texts(product.payload_schemas)
    subject = product.value_subject
    return [registry.register_text(subject, SchemaText(PROTOBUF, one)) for one in texts][-1]


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
