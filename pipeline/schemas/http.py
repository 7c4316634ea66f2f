"""A registry of one's own: any that answers as Confluent Schema Registry does."""

from __future__ import annotations

import json
import ssl
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx2
from confluent_kafka.schema_registry import (
    RegisteredSchema,
    Schema,
    SchemaReference,
    SchemaRegistryClient,
    SchemaRegistryError,
)
from confluent_kafka.schema_registry.error import OAuthTokenError

from pipeline.avro.schema import Schema as AvroSchema
from pipeline.cells import CellInvalidError
from pipeline.config.secret_text import scrubbed
from pipeline.schemas.levels import DEFAULT_LEVEL, Parsed, require_level
from pipeline.schemas.protobuf import compiled
from pipeline.schemas.registry import (
    RegistryRefusedError,
    RegistryUnavailableError,
    SchemaNotFoundError,
    SchemaRef,
    as_mapping,
    not_found,
    require_valid,
)
from pipeline.schemas.texts import AVRO, Reference, SchemaText, TextRef

DEFAULTS: Mapping[str, Any] = {
    "timeout": 30,
    "max.retries": 2,
    "retries.wait.ms": 200,
    "retries.max.wait.ms": 2_000,
}
"""What the cell's own settings win over: Confluent's client waits for ever."""

_UNKNOWN = (40401, 40402, 40403, 42202)
_TRY_AGAIN = (408, 429)


class HttpRegistry:
    """Implements the port `Registry`; usable from any thread.

    Schemas that were found by id or by version are kept, and not asked for again until one is registered.
    That one is held to `DEFAULT_LEVEL` here, whatever the subject's level there, but not against what
    another process registers at the same moment: against that only the level there holds it.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        """Ask at `url`, with `settings` in the dotted names of Confluent's client. Connects to nothing yet.

        Raises:
            CellInvalidError: the client does not take the settings, or cannot read a file that they name.
        """
        try:
            typed = {name: _typed(name, value) for name, value in settings.items()}
            self._client = SchemaRegistryClient({**DEFAULTS, **typed})
        except (ValueError, TypeError, OSError) as error:
            raise CellInvalidError(
                f"Confluent's client does not take them ({scrubbed(str(error), settings.values())}).",
                subject="settings of the schema registry",
                remedy="Correct `schema_registry` in the cell's settings; see docs/reference/cell.md.",
            ) from None
        # The port has no end of use: connections are closed with the last reference.
        weakref.finalize(self, self._client.close)
        address = urlsplit(str(settings["url"]).partition(",")[0])
        self._name = f"schema registry {address.scheme}://{address.netloc.rpartition('@')[2]}"

    def register(self, subject: str, schema: Mapping[str, Any]) -> SchemaRef:
        """See `Registry.register`."""
        require_valid(subject, schema)
        sent = Schema(json.dumps(schema), "AVRO")
        # A version may have been deleted since: what is registered is looked up, not remembered.
        self._client.clear_caches()  # type: ignore[no-untyped-call]
        known = self._registered(subject, sent)
        if known is None:
            earlier = self._versions(subject)
            for one in earlier:
                require_valid(f"{subject} version {one.version}", one.schema)
            versions = [(one.version, AvroSchema(one.schema)) for one in earlier]
            require_level(DEFAULT_LEVEL, subject, AvroSchema(schema), versions)
            with self._naming_errors(f"a schema of {subject}"):
                self._client.register_schema(subject, sent)
            known = self._registered(subject, sent)
        if known is None:
            raise not_found(f"the schema just registered under {subject}")
        return known

    def schema(self, schema_id: int) -> dict[str, Any]:
        """See `Registry.schema`."""
        what = f"schema id {schema_id}"
        with self._naming_errors(what):
            return _parsed(self._client.get_schema(schema_id), what)

    def version(self, subject: str, version: int) -> SchemaRef:
        """See `Registry.version`."""
        with self._naming_errors(f"version {version} of {subject}"):
            return _ref(subject, self._client.get_version(subject, version))

    def latest(self, subject: str) -> SchemaRef:
        """See `Registry.latest`."""
        with self._naming_errors(f"subject {subject}"):
            return _ref(subject, self._client.get_version(subject, "latest"))

    def register_text(self, subject: str, schema: SchemaText) -> TextRef:
        """See `Registry.register_text`."""
        sent = _sent(schema)
        self._client.clear_caches()  # type: ignore[no-untyped-call]
        new = compiled(subject, schema, self._referred)
        known = self._registered_text(subject, sent)
        if known is None:
            earlier = [(one.version, self._parsed(one)) for one in self._text_versions(subject)]
            require_level(DEFAULT_LEVEL, subject, new, earlier)
            with self._naming_errors(f"a schema of {subject}"):
                self._client.register_schema(subject, sent)
            known = self._registered_text(subject, sent)
        if known is None:
            raise not_found(f"the schema just registered under {subject}")
        return known

    def text(self, schema_id: int) -> SchemaText:
        """See `Registry.text`."""
        with self._naming_errors(f"schema id {schema_id}"):
            return _text(self._client.get_schema(schema_id))

    def text_version(self, subject: str, version: int | None = None) -> TextRef:
        """See `Registry.text_version`."""
        what = f"subject {subject}" if version is None else f"version {version} of {subject}"
        with self._naming_errors(what):
            found = self._client.get_version(subject, "latest" if version is None else version)
            return _text_ref(subject, found)

    def subjects(self) -> Sequence[str]:
        """See `Registry.subjects`."""
        with self._naming_errors("subjects"):
            return sorted(self._client.get_subjects())

    def _versions(self, subject: str) -> list[SchemaRef]:
        return [self.version(subject, number) for number in self._numbers(subject)]

    def _text_versions(self, subject: str) -> list[TextRef]:
        return [self.text_version(subject, number) for number in self._numbers(subject)]

    def _numbers(self, subject: str) -> list[int]:
        try:
            with self._naming_errors(f"subject {subject}"):
                return sorted(self._client.get_versions(subject))
        except SchemaNotFoundError:
            return []

    def _referred(self, reference: Reference) -> SchemaText:
        return self.text_version(reference.subject, reference.version).schema

    def _parsed(self, one: TextRef) -> Parsed:
        if one.schema.type == AVRO:
            return AvroSchema(as_mapping(json.loads(one.schema.text)))
        return compiled(one.subject, one.schema, self._referred)

    def _registered_text(self, subject: str, schema: Schema) -> TextRef | None:
        try:
            with self._naming_errors(f"subject {subject}"):
                found = self._client.lookup_schema(subject, schema)
            # The client tells it in the words that it was asked with, and keeps those.
            self._client.clear_caches()  # type: ignore[no-untyped-call]
            return self.text_version(subject, found.version)
        except SchemaNotFoundError:
            return None

    def _registered(self, subject: str, schema: Schema) -> SchemaRef | None:
        try:
            with self._naming_errors(f"subject {subject}"):
                return _ref(subject, self._client.lookup_schema(subject, schema))
        except SchemaNotFoundError:
            return None

    @contextmanager
    def _naming_errors(self, what: str) -> Iterator[None]:
        try:
            yield
        except SchemaRegistryError as error:
            status = error.http_status_code
            if error.error_code in _UNKNOWN:
                raise not_found(what) from None
            if status >= 500 or status in _TRY_AGAIN:
                raise self._unavailable(str(error)) from None
            # A proxy's answer is a page.
            raise self._refused(f"{what} is refused: {str(error)[:500]}.") from None
        except OAuthTokenError as error:
            raise self._refused(f"no token was given out: {error}.") from None
        except httpx2.TransportError as error:
            if _is_tls(error):
                raise self._refused(f"TLS does not come about: {error}.") from None
            raise self._unavailable(f"{error or type(error).__name__}") from None
        except json.JSONDecodeError as error:
            raise self._refused(f"the answer is not a schema registry's ({error}).") from None

    def _unavailable(self, why: str) -> RegistryUnavailableError:
        return RegistryUnavailableError(
            f"did not answer: {why}.",
            subject=self._name,
            remedy="Check that it runs and can be reached from here.",
        )

    def _refused(self, why: str) -> RegistryRefusedError:
        return RegistryRefusedError(
            why,
            subject=self._name,
            remedy="Correct `schema_registry` in the cell's settings, or what the registry permits.",
        )


def _typed(name: str, value: Any) -> Any:
    """Return a number that is given as text, as variables are, as a number."""
    return float(value) if name in DEFAULTS and isinstance(value, str) else value


def _is_tls(error: BaseException | None) -> bool:
    # A connection that is cut ends TLS, too.
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error is not None and not isinstance(error, ssl.SSLEOFError)


def _ref(subject: str, found: RegisteredSchema) -> SchemaRef:
    number, schema_id = found.version, found.schema_id
    what = f"version {number} of {subject}"
    if number is None or schema_id is None:
        raise not_found(what)
    return SchemaRef(subject, number, schema_id, _parsed(found.schema, what))


def _sent(schema: SchemaText) -> Schema:
    references = [SchemaReference(one.name, one.subject, one.version) for one in schema.references]
    return Schema(schema.text, schema.type, references)


def _text(schema: Schema) -> SchemaText:
    references = tuple(
        Reference(one.name or "", one.subject or "", one.version or 0)
        for one in schema.references or ()
    )
    return SchemaText(schema.schema_type or AVRO, schema.schema_str or "", references)


def _text_ref(subject: str, found: RegisteredSchema) -> TextRef:
    number, schema_id = found.version, found.schema_id
    if number is None or schema_id is None:
        raise not_found(f"version {number} of {subject}")
    return TextRef(subject, number, schema_id, _text(found.schema))


def _parsed(schema: Schema, what: str) -> dict[str, Any]:
    if schema.schema_type not in (None, "AVRO") or schema.references:
        raise not_found(f"{what} as an Avro schema that stands for itself")
    return as_mapping(json.loads(schema.schema_str or "null"))
