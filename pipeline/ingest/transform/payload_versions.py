"""Payload versions by what records say: which version a schema id is, and which the contract lists."""

from __future__ import annotations

from pipeline.contract.listed_schemas import ListedSchemas
from pipeline.contract.model import Product
from pipeline.schemas.registry import SchemaNotFoundError, Schemas


class PayloadVersions:
    """The versions of one product's payload. Asked once each, and kept; not by records."""

    def __init__(self, product: Product, schemas: Schemas) -> None:
        self._subject = product.payload_subject
        self._enveloped = product.topic.envelope
        self._schemas = schemas
        self._listed = ListedSchemas(product)
        self._version_of_id: dict[int, int] = {}
        self._is_listed: dict[int, bool] = {}

    def of_id(self, schema_id: int) -> int:
        """Return the payload subject's version that has this id; 0 if none has.

        Raises:
            RegistryUnavailableError: it could not be looked up.
        """
        if schema_id not in self._version_of_id:
            try:
                newest = self._schemas.latest(self._subject).version
            except SchemaNotFoundError:
                return 0
            for version in range(1, newest + 1):
                self._version_of_id[self._schemas.version(self._subject, version).id] = version
        return self._version_of_id.get(schema_id, 0)

    def is_listed(self, number: int) -> bool:
        """Return whether the contract lists what records say: a version, or without an envelope an id.

        What the registry does not know is nobody's: it is not called unlisted.

        Raises:
            RegistryUnavailableError: it could not be looked up.
        """
        if number not in self._is_listed:
            try:
                if self._enveloped:
                    version, schema = (
                        number,
                        self._schemas.version(self._subject, number).schema,
                    )
                else:
                    version, schema = self.of_id(number), self._schemas.schema(number)
            except SchemaNotFoundError:
                return True
            self._is_listed[number] = self._listed.has(version, schema)
        return self._is_listed[number]

    @property
    def unlisted(self) -> list[int]:
        """What `is_listed` has said no to."""
        return [number for number, is_listed in self._is_listed.items() if not is_listed]

    def describe(self, number: int) -> str:
        """Return who an unlisted number is, in words."""
        version = number if self._enveloped else self.of_id(number)
        known = f"version {version}" if version else "no version"
        by_id = "" if self._enveloped else f"schema id {number}, "
        if self._enveloped:
            by_id = f"schema id {self._schemas.version(self._subject, number).id}, "
        return f"{by_id}{known} of {self._subject}, which the contract does not list"
