"""The contract's own schemas, where values do not say an id of the registry: version N has the id N."""

from __future__ import annotations

from typing import Any

from pipeline.contract.model import Product
from pipeline.schemas.registry import Registry, SchemaRef, Schemas, not_found


class ContractSchemas:
    """Schemas of one product's payload, as its contract lists them."""

    def __init__(self, product: Product) -> None:
        self._product = product

    def schema(self, schema_id: int) -> dict[str, Any]:
        """See `Schemas.schema`."""
        return dict(self.version(self._product.payload_subject, schema_id).schema)

    def version(self, subject: str, version: int) -> SchemaRef:
        """See `Schemas.version`."""
        listed = self._product.payload_schemas
        if not 0 < version <= len(listed):
            raise not_found(f"version {version} of {subject}")
        return SchemaRef(subject, version, version, listed[version - 1])

    def latest(self, subject: str) -> SchemaRef:
        """See `Schemas.latest`."""
        return self.version(subject, len(self._product.payload_schemas))


def known_schemas(product: Product, registry: Registry) -> Schemas:
    """Return what knows the schemas of a product's values."""
    return registry if product.topic.has_schema_ids else ContractSchemas(product)
