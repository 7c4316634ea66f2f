"""Values that are Protobuf in Confluent's framing, in columns and one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.avro.decoding.columns import Columns
from pipeline.contract.model import Product
from pipeline.errors import PoisonError
from pipeline.ingest.transform.formats.event_fields import EventFields, read_body, require_size
from pipeline.ingest.transform.formats.values import (
    FoundEvent,
    Numbers,
    PoisonedError,
    ReadRecord,
    warn_slow,
)
from pipeline.ingest.transform.records import Reason
from pipeline.kafka.identity import TopicIdentity
from pipeline.kafka.records import RawRecord, Records
from pipeline.protobuf.decoding.columns import MessageReader
from pipeline.protobuf.plan import Plan, UnreadableSchemaError
from pipeline.protobuf.resolve import resolve
from pipeline.protobuf.schema import NoMessageError, NotProtobufError, ProtoSource, load
from pipeline.protobuf.single import reader
from pipeline.schemas import wire
from pipeline.schemas.message_indexes import split_indexes
from pipeline.schemas.protobuf import source_of
from pipeline.schemas.registry import Registry, SchemaNotFoundError

Indexes = tuple[int, ...]
Read = Callable[[bytes], Any]
_KEPT = 4_096
"""Messages of schemas that are remembered: records may name any."""
_UNREADABLE = (NotProtobufError, NoMessageError, UnreadableSchemaError)
_EMPTY = ProtoSource('syntax = "proto3";')


class ProtobufValues:
    """Messages read as the newest version that the contract lists. Schemas are looked up once and kept."""

    def __init__(self, product: Product, registry: Registry, payload: pa.Schema) -> None:
        """Read values of `product` to the columns of `payload`.

        Raises:
            ProtocMissingError: the extra `protobuf` is not installed.
        """
        load(_EMPTY)
        self._product = product
        self._plans = Plans(product, registry)
        self._reader = MessageReader(payload)

    def read(self, records: Records) -> Columns:
        """See `Values.read`."""
        while True:
            read = self._reader.read(
                records.data,
                records.values[:, 0],
                records.values[:, 1],
                self._product.gates.payload_bytes,
            )
            if not self._learn(read.unknown):
                return Columns(read.table, read.row_of, read.status, read.number)

    def versions(self, numbers: Numbers) -> npt.NDArray[np.int32]:
        """See `Values.versions`."""
        return np.full(len(numbers), len(self._product.payload_schemas), np.int32)

    def refuses(self, number: int) -> bool:  # noqa: ARG002 - the contract lists no schema of Protobuf
        """See `Values.refuses`."""
        return False

    def _learn(self, unknown: tuple[tuple[int, Indexes], ...]) -> bool:
        """Look up schemas that were met for the first time; return whether any is read in columns."""
        learnt = False
        for schema_id, indexes in unknown:
            try:
                plan = self._plans.of(schema_id, indexes)
            except (SchemaNotFoundError, *_UNREADABLE):
                # Left unknown: each record says why it is a dead letter.
                continue
            slow = self._reader.add(schema_id, indexes, plan)
            warn_slow(self._product, f"schema id {schema_id}", slow)
            learnt = True
        return learnt


class Plans:
    """How messages of a registry's schemas are read as one product's payload."""

    def __init__(self, product: Product, registry: Registry) -> None:
        self._record, self._registry = product.payload_schema, registry

    def of(self, schema_id: int, indexes: Indexes) -> Plan:
        """Return how messages of a schema are read.

        Raises:
            SchemaNotFoundError: the schema, or one that it refers to, is not registered.
            NotProtobufError, NoMessageError, UnreadableSchemaError: none of them can be read.
            RegistryUnavailableError: it could not be looked up.
        """
        registry = self._registry
        source = source_of(
            registry.text(schema_id),
            lambda one: registry.text_version(one.subject, one.version).schema,
        )
        return resolve(load(source).message(indexes), self._record)


def protobuf_records(product: Product, registry: Registry, identity: TopicIdentity) -> ReadRecord:
    """Return what reads one record."""
    plans, of_fields = Plans(product, registry), EventFields(product, identity)
    known: dict[tuple[int, Indexes], Read] = {}

    def of_record(record: RawRecord) -> FoundEvent:
        if record.value is None:
            raise PoisonedError(Reason.NO_VALUE, "the record has no value")
        try:
            schema_id, rest = wire.split(record.value)
            indexes, body = split_indexes(rest)
        except PoisonError as error:
            raise PoisonedError(Reason.BAD_FRAMING, error.what) from None
        require_size(product, body)
        read = known.get((schema_id, indexes)) or _reader(plans, schema_id, indexes)
        if len(known) < _KEPT:
            known[schema_id, indexes] = read
        fields = read_body(body, read)
        return of_fields.event(record, fields, len(product.payload_schemas))

    return of_record


def _reader(plans: Plans, schema_id: int, indexes: Indexes) -> Read:
    try:
        return reader(plans.of(schema_id, indexes))
    except SchemaNotFoundError as error:
        # Not kept: it may be registered before its records are replayed.
        told = (
            error.what
            if f"schema id {schema_id}" in error.what
            else f"schema id {schema_id}: {error.what}"
        )
        raise PoisonedError(Reason.UNKNOWN_SCHEMA, told.rstrip(".")) from None
    except NoMessageError as error:
        # The record's indexes are at fault, and not its schema.
        reason, why = Reason.UNDECODABLE, f"schema id {schema_id}: {error}"
    except (NotProtobufError, UnreadableSchemaError) as error:
        reason, why = Reason.UNREADABLE_SCHEMA, f"schema id {schema_id}: {error}"

    def refuse(_: bytes) -> Any:
        raise PoisonedError(reason, why[:500])

    return refuse
