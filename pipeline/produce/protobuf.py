"""Values of a product's topic as Protobuf."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pipeline.contract.model import Product
from pipeline.protobuf.encode import message_encoder
from pipeline.protobuf.from_avro import proto_texts
from pipeline.protobuf.resolve import resolve
from pipeline.protobuf.schema import ProtoSource, load


def value_encoder(product: Product) -> Callable[[Mapping[str, Any]], bytes]:
    """Return what writes a payload as the first message of the newest schema that is registered.

    Raises:
        ProtocMissingError: the extra `protobuf` is not installed.
    """
    texts = product.proto or proto_texts(product.payload_schemas)
    message = load(ProtoSource(texts[-1])).message([0])
    return message_encoder(resolve(message, product.payload_schema))
