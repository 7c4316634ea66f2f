"""Fields of a Protobuf value, read by Google's library from the whole message, as its writer has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pipeline.errors import PoisonError
from pipeline.protobuf.schema import NoMessageError, NotProtobufError, load
from pipeline.schemas import wire
from pipeline.schemas.message_indexes import split_indexes
from pipeline.schemas.protobuf import source_of
from pipeline.schemas.registry import Registry

if TYPE_CHECKING:
    from google.protobuf.message import Message


class ProtobufFields:
    """Reads some fields, by their paths; those that are absent, or not of a kind that tells, are left out."""

    def __init__(self, registry: Registry, paths: Sequence[str]) -> None:
        self._registry, self._paths = registry, paths
        self._known: dict[tuple[int, tuple[int, ...]], type[Message]] = {}

    def read(self, value: bytes) -> Mapping[str, Any]:
        """Return the fields that a value has, as nested as they are; none if it cannot be read.

        Raises:
            RegistryUnavailableError: its schema could not be looked up.
        """
        from google.protobuf.message import DecodeError

        try:
            schema_id, rest = wire.split(value)
            indexes, body = split_indexes(rest)
            message = self._class(schema_id, indexes).FromString(body)
        except (PoisonError, NotProtobufError, NoMessageError, DecodeError):
            return {}
        made: dict[str, Any] = {}
        for path in self._paths:
            _put(made, message, path.split("."))
        return made

    def _class(self, schema_id: int, indexes: tuple[int, ...]) -> type[Message]:
        from google.protobuf.message_factory import GetMessageClass

        if (schema_id, indexes) not in self._known:
            source = source_of(
                self._registry.text(schema_id),
                lambda one: self._registry.text_version(one.subject, one.version).schema,
            )
            self._known[schema_id, indexes] = GetMessageClass(load(source).message(indexes))
        return self._known[schema_id, indexes]


def _put(made: dict[str, Any], message: Message, path: Sequence[str]) -> None:
    name, *rest = path
    if not rest:
        made[name] = _field(message, name)
        return
    field = message.DESCRIPTOR.fields_by_name.get(name)
    if field is not None and field.message_type is not None and not field.is_repeated:
        _put(made.setdefault(name, {}), getattr(message, name), rest)


def _field(message: Message, name: str) -> Any:
    field = message.DESCRIPTOR.fields_by_name.get(name)
    if field is None or field.is_repeated or (field.has_presence and not message.HasField(name)):
        return None
    found = getattr(message, name)
    if field.message_type is None:
        return found
    if field.message_type.full_name == "google.protobuf.Timestamp":
        try:
            made: datetime = found.ToDatetime(UTC)
        except (ValueError, OverflowError):
            return None
        return made
    return getattr(found, "value", None)
