"""Protobuf schemas in a registry: what they import looked up, and compiled."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import TYPE_CHECKING

from pipeline.protobuf.schema import NotProtobufError, ProtoSchema, ProtoSource, load
from pipeline.schemas.registry import InvalidSchemaError, SchemaNotFoundError
from pipeline.schemas.texts import PROTOBUF, Reference, SchemaText

if TYPE_CHECKING:
    from google.protobuf.descriptor_pb2 import FileDescriptorProto

MOST_IMPORTS = 500

Find = Callable[[Reference], SchemaText]
"""Returns what a reference is of, or raises SchemaNotFoundError."""


def source_of(schema: SchemaText, find: Find) -> ProtoSource:
    """Return a schema with all that it refers to.

    Raises:
        SchemaNotFoundError: something that it refers to is not there.
        NotProtobufError: it, or what it refers to, is of another type.
    """
    imports: dict[str, str] = {}
    waiting = [schema]
    while waiting:
        one = waiting.pop()
        if one.type != PROTOBUF:
            raise NotProtobufError(f"a schema of type {one.type}, not {PROTOBUF}")
        for reference in one.references:
            if reference.name not in imports and len(imports) < MOST_IMPORTS:
                found = find(reference)
                imports[reference.name] = found.text
                waiting.append(found)
    return ProtoSource(schema.text, imports)


def compiled(subject: str, schema: SchemaText, find: Find) -> ProtoSchema:
    """Return a schema compiled.

    Raises:
        InvalidSchemaError: it is no Protobuf schema, or what it refers to is not there.
        ProtocMissingError: the extra `protobuf` is not installed.
    """
    try:
        return load(source_of(schema, find))
    except (NotProtobufError, SchemaNotFoundError) as error:
        told = (
            error.what if isinstance(error, SchemaNotFoundError) else f"{error}".rstrip(".") + "."
        )
        raise InvalidSchemaError(
            f"not a Protobuf schema: {told}", subject=subject, remedy="Correct the schema."
        ) from None


def plain(schema: SchemaText) -> SchemaText:
    """Return a schema as text, also where it is a descriptor in Base64, as Confluent's Python client sends.

    Raises:
        NotProtobufError: it is a descriptor that has no text.
    """
    descriptor = _descriptor(schema.text)
    if descriptor is None:
        return schema
    from pipeline.protobuf.text import NoTextError, proto_text

    try:
        return SchemaText(PROTOBUF, proto_text(descriptor), schema.references)
    except NoTextError as error:
        raise NotProtobufError(f"{error}") from None


def serialized(schema: ProtoSchema) -> str:
    """Return a schema as a serialized descriptor in Base64: the format `serialized` of Confluent's API."""
    return base64.b64encode(schema.proto.SerializeToString()).decode()


def descriptor_bytes(schema: ProtoSchema) -> bytes:
    """Return what equal schemas share: the descriptor without its file's name."""
    from google.protobuf.descriptor_pb2 import FileDescriptorProto

    found = FileDescriptorProto()
    found.CopyFrom(schema.proto)
    found.ClearField("name")
    found.ClearField("source_code_info")
    return found.SerializeToString(deterministic=True)


def _descriptor(text: str) -> FileDescriptorProto | None:
    try:
        body = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    try:
        from google.protobuf.descriptor_pb2 import FileDescriptorProto
        from google.protobuf.message import DecodeError
    except ModuleNotFoundError:
        return None
    try:
        return FileDescriptorProto.FromString(body)
    except DecodeError:
        return None
