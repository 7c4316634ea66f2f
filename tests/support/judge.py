"""The independent verifier, asked about a cell's product."""

from __future__ import annotations

from pipeline.cells import Cell
from pipeline.contract.model import Product
from tests.support.catalogs import properties_for_pyiceberg
from tests.support.record_uuids import (
    CONFLUENT_BYTES,
    SINGLE_OBJECT_BYTES,
    first_text_in_protobuf,
    in_avro,
    in_json,
)
from tests.support.topic_reader import Holes, UuidOf, count_holes
from tests.support.verifier import Findings, verify_exactly_once


def judge(cell: Cell, product: Product) -> Findings:
    """Return what the independent verifier finds of `product` in `cell`."""
    return verify_exactly_once(
        bootstrap_servers=cell.bootstrap_servers,
        topic=product.topic.name,
        catalog_name=cell.name,
        catalog=properties_for_pyiceberg(cell),
        namespace=product.name,
        uuid_of=_uuid_of(product),
    )


def holes(cell: Cell, product: Product) -> Holes:
    """Return what the independent verifier finds of offsets that no consumer is given a record of."""
    return count_holes(cell.bootstrap_servers, product.topic.name)


def _uuid_of(product: Product) -> UuidOf | None:
    if product.envelope_schema is not None:
        return in_avro(product.envelope_schema, "uuid")
    if product.uuid is None:
        return None
    if product.topic.format == "json":
        return in_json(product.uuid)
    if product.topic.format == "protobuf":
        return first_text_in_protobuf
    header = CONFLUENT_BYTES if product.topic.has_schema_ids else SINGLE_OBJECT_BYTES
    return in_avro(product.payload_schema, product.uuid, header)
