"""Decoding one record at a time: slow, and the last word.

It says why a record cannot be decoded, and decodes those that the columnar reader does not vouch for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from pipeline.contract.model import Product
from pipeline.ingest.transform.formats.open import open_records
from pipeline.ingest.transform.formats.values import PoisonedError
from pipeline.ingest.transform.records import DeadLetter, Event, Reason
from pipeline.kafka.identity import TopicIdentity
from pipeline.kafka.records import RawRecord
from pipeline.schemas.registry import Registry


class RecordDecoder:
    """Decodes single records of one product's topic.

    Schemas are looked up once and kept. Not safe for use by several threads.
    """

    def __init__(
        self, product: Product, registry: Registry, identity: TopicIdentity, columns: pa.Schema
    ) -> None:
        self._read = open_records(product, registry, identity)
        self._columns = columns

    def decode(self, record: RawRecord) -> Event | DeadLetter:
        """Return the event that `record` holds, or why it holds none.

        Raises:
            RegistryUnavailableError: a schema could not be looked up; the record is not to blame.
        """
        try:
            found = self._read(record)
            payload = self._row(found.fields)
        except PoisonedError as poison:
            return DeadLetter(record, poison.reason, poison.detail)
        return Event(found.uuid, found.key, found.event_time, found.schema_version, payload)

    def _row(self, fields: Mapping[str, Any]) -> pa.Table:
        try:
            return pa.Table.from_pylist([fields], schema=self._columns)
        except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
            raise PoisonedError(Reason.UNDECODABLE, f"{error}"[:500]) from None
