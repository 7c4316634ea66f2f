"""The version that an id of the registry is of a product's payload."""

from __future__ import annotations

from pipeline.contract.model import Product
from pipeline.errors import TerminalError
from pipeline.schemas.registry import Registry, SchemaNotFoundError


class SchemaIdUnknownError(TerminalError):
    """No version of the product's payload has that id in the registry."""


def version_of_id(registry: Registry, product: Product, schema_id: int) -> int:
    """Return the version of the product's payload schema that the registry knows by `schema_id`.

    Of an envelope the id is that of the payload's schema, not of the envelope around it.

    Raises:
        SchemaIdUnknownError: there is none.
        RegistryUnavailableError, RegistryRefusedError, RegistryDamagedError: the registry is no help.
    """
    subject = product.payload_subject
    newest = _id_and_number(registry, subject, None)
    numbers = range(1, 0 if newest is None else newest[1] + 1)
    found = (_id_and_number(registry, subject, number) for number in numbers)
    known = dict(one for one in found if one is not None)
    if schema_id not in known:
        ids = ", ".join(f"{one} (version {known[one]})" for one in sorted(known)) or "none"
        raise SchemaIdUnknownError(
            f"the registry has no such version of subject {subject}.",
            subject=f"schema id {schema_id}",
            remedy=f"Name one of these: {ids}.",
        )
    return known[schema_id]


def _id_and_number(registry: Registry, subject: str, number: int | None) -> tuple[int, int] | None:
    """Return id and number of a version, the newest for None; None where there is none, or it was deleted."""
    try:
        found = registry.text_version(subject, number)
    except SchemaNotFoundError:
        return None
    return found.id, found.version
