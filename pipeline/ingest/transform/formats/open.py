"""The format that a product's contract says its values have."""

from __future__ import annotations

import pyarrow as pa

from pipeline.contract.model import Product
from pipeline.ingest.transform.formats.avro import AvroValues
from pipeline.ingest.transform.formats.avro_single import avro_records
from pipeline.ingest.transform.formats.contract_schemas import known_schemas
from pipeline.ingest.transform.formats.json import JsonValues, json_records
from pipeline.ingest.transform.formats.protobuf import ProtobufValues, protobuf_records
from pipeline.ingest.transform.formats.values import ReadRecord, Values
from pipeline.ingest.transform.payload_versions import PayloadVersions
from pipeline.ingest.transform.unlisted import UnlistedVersions
from pipeline.kafka.identity import TopicIdentity
from pipeline.schemas.registry import Registry


def open_values(
    product: Product,
    registry: Registry,
    payload: pa.Schema,
    versions: PayloadVersions,
    unlisted: UnlistedVersions,
) -> Values:
    """Return what reads values in columns, as those of `payload`."""
    if product.topic.format == "json":
        return JsonValues(product, payload)
    if product.topic.format == "protobuf":
        return ProtobufValues(product, registry, payload)
    return AvroValues(product, known_schemas(product, registry), payload, versions, unlisted)


def open_records(product: Product, registry: Registry, identity: TopicIdentity) -> ReadRecord:
    """Return what reads records one by one."""
    if product.topic.format == "json":
        return json_records(product, identity)
    if product.topic.format == "protobuf":
        return protobuf_records(product, registry, identity)
    return avro_records(product, known_schemas(product, registry), identity)
