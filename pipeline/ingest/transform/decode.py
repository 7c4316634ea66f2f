"""From the records of a batch to events, in columns; the few that defy it, one by one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from pipeline.avro.decoding.columns import ENVELOPE, Columns
from pipeline.contract.model import Product
from pipeline.contract.targets import iceberg
from pipeline.ingest.transform.decode_single import RecordDecoder
from pipeline.ingest.transform.event_columns import EventColumns
from pipeline.ingest.transform.formats.contract_schemas import known_schemas
from pipeline.ingest.transform.formats.debezium import Tombstones
from pipeline.ingest.transform.formats.open import open_values
from pipeline.ingest.transform.frame import ROW, header_columns, record_columns
from pipeline.ingest.transform.origins import Origins, origins_of
from pipeline.ingest.transform.payload_versions import PayloadVersions
from pipeline.ingest.transform.records import DeadLetter, Decoded, Event
from pipeline.ingest.transform.unlisted import UnlistedVersions
from pipeline.kafka.identity import TopicIdentity
from pipeline.kafka.records import Records
from pipeline.rows.frames import to_frame
from pipeline.schemas.registry import Registry

RowNumbers = npt.NDArray[np.int64]


class Decoder:
    """Decodes the records of one product's topic, a batch at a time.

    Schemas are looked up once and kept; those the registry does not know are asked for again by the
    next batch. Not safe for use by several threads.
    """

    def __init__(
        self, product: Product, registry: Registry, identity: TopicIdentity, run_id: str
    ) -> None:
        self._product = product
        self._identity = identity
        self._run_id = run_id
        self._payload = iceberg.payload_schema(product)
        self._event_columns = EventColumns(product, identity)
        self._tombstones = (
            Tombstones(product, registry, identity) if product.topic.debezium else None
        )
        self._single_decoder = RecordDecoder(product, registry, identity, self._payload)
        schemas = known_schemas(product, registry)
        self._versions = PayloadVersions(product, schemas)
        self._unlisted = UnlistedVersions(product, schemas, self._versions)
        self._values = open_values(product, registry, self._payload, self._versions, self._unlisted)

    @property
    def unlisted(self) -> int:
        """How many payload versions, or schema ids, were met that the contract does not list."""
        return len(self._versions.unlisted)

    def decode(self, records: Records, ingested_at: datetime) -> Decoded:
        """Decode `records`; those that hold no event are among the result's letters.

        Raises:
            RegistryUnavailableError: a schema could not be looked up; no record is to blame.
        """
        columns = self._values.read(records)
        origins = origins_of(records, self._identity)
        frame = self._events(records, columns, origins, ingested_at)
        sound = self._has_required_fields(frame)
        if not sound.all():
            frame = frame.filter(sound)
        frame = frame.drop("__record_key")
        read = np.zeros(len(records), np.bool_)
        read[frame.get_column(ROW).to_numpy()] = True
        refused = self._unlisted.refused(columns)
        read[refused] = True
        unlisted = [
            self._unlisted.dead_letter(records, row, number)
            for row, number in zip(refused.tolist(), columns.number[refused].tolist(), strict=True)
        ]
        if self._tombstones is not None:
            gone = np.flatnonzero(records.values[:, 1] < 0)
            read[gone] = True
            own, rows, no_keys = self._tombstones.read(records, gone, origins)
            where = record_columns(records, rows, self._identity, self._run_id, ingested_at)
            parts = [where.drop("__record_key"), own, header_columns(records, rows)]
            frame = pl.concat([frame, pl.concat(parts, how="horizontal")], how="diagonal")
            unlisted += no_keys
        dead_letters, found = self._decode_singly(records, np.flatnonzero(~read), columns.number)
        if found:
            rest = self._single_rows(records, found, columns.number, ingested_at)
            frame = pl.concat([frame, rest.drop("__record_key")], how="diagonal")
        return Decoded(origins.onto(frame, ROW), [*unlisted, *dead_letters], singly=len(found))

    def _events(
        self, records: Records, columns: Columns, origins: Origins, ingested_at: datetime
    ) -> pl.DataFrame:
        rows = columns.row_of
        made = to_frame(columns.table)
        payload = made.drop(ENVELOPE.names, strict=False)
        where = record_columns(records, rows, self._identity, self._run_id, ingested_at)
        if self._product.topic.envelope:
            own = made.select(
                _uuid="__uuid",
                _key="__key",
                _event_time=pl.col("__timestamp").cast(pl.Datetime("us", "UTC")),
                _schema_version="__version",
            )
        else:
            versions = self._values.versions(columns.number[rows])
            own = self._event_columns.of(payload, origins, rows, versions)
        kept = self._unlisted.values(records, rows, columns.number[rows])
        parts = [where, own, header_columns(records, rows), payload, kept]
        return pl.concat(parts, how="horizontal")

    def _has_required_fields(self, frame: pl.DataFrame) -> pl.Series:
        """Return which rows hold what every event must; what is wrong with the others is told later."""
        sound = (
            pl.col("_uuid").is_not_null()
            & (pl.col("_uuid") != "")
            & pl.col("_key").is_not_null()
            & (pl.col("_key") != "")
            & pl.col("_event_time").is_not_null()
        )
        if self._product.topic.debezium:
            sound &= pl.col("op").is_not_null()
        if self._product.topic.envelope:
            sound &= pl.col("__record_key").is_not_null() & (
                pl.col("__record_key") == pl.col("_key").cast(pl.Binary)
            )
        return frame.select(sound.fill_null(value=False)).to_series()

    def _decode_singly(
        self, records: Records, rows: RowNumbers, numbers: RowNumbers
    ) -> tuple[list[DeadLetter], list[tuple[int, Event]]]:
        dead_letters: list[DeadLetter] = []
        events: list[tuple[int, Event]] = []
        for row in rows.tolist():
            one = self._single_decoder.decode(records.record(row))
            number = int(numbers[row])
            if isinstance(one, DeadLetter):
                dead_letters.append(self._unlisted.relabelled(one, number))
                continue
            if self._product.topic.envelope:
                number = one.schema_version
            if self._values.refuses(number):
                dead_letters.append(self._unlisted.dead_letter(records, row, number))
            else:
                events.append((row, one))
        return dead_letters, events

    def _single_rows(
        self,
        records: Records,
        found: Sequence[tuple[int, Event]],
        numbers: RowNumbers,
        ingested_at: datetime,
    ) -> pl.DataFrame:
        rows = np.array([row for row, _ in found], np.int64)
        events = [event for _, event in found]
        own = pl.DataFrame(
            {
                "_uuid": [event.uuid for event in events],
                "_key": [event.key for event in events],
                "_event_time": pl.Series([event.event_time for event in events], dtype=pl.Int64),
                "_schema_version": pl.Series([e.schema_version for e in events], dtype=pl.Int32),
            }
        ).with_columns(pl.col("_event_time").cast(pl.Datetime("us", "UTC")))
        payload = to_frame(pa.concat_tables([event.payload for event in events]))
        where = record_columns(records, rows, self._identity, self._run_id, ingested_at)
        if self._product.topic.envelope:
            numbers = own.get_column("_schema_version").to_numpy()
        else:
            numbers = numbers[rows]
        kept = self._unlisted.values(records, rows, numbers)
        parts = [where, own, header_columns(records, rows), payload, kept]
        return pl.concat(parts, how="horizontal")
