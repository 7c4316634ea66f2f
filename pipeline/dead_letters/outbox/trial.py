"""What ingest would make of records now: all that it does to them before it commits."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
from pyiceberg.table import Table

from pipeline.clock import utc_now
from pipeline.contract.model import Product
from pipeline.ingest.transform.exclude import Exclusions
from pipeline.ingest.transform.held_back import HeldBackError
from pipeline.ingest.transform.process import Processor
from pipeline.ingest.transform.records import DeadLetter
from pipeline.kafka.identity import TopicIdentity
from pipeline.kafka.records import Records
from pipeline.schemas.registry import Registry

UUID_BYTES = 128 * 2**20
"""What known uuids of the hours that records are of may take; beyond it they are in a temporary file."""


@dataclass(frozen=True)
class Tried:
    """What one record would be: a dead letter of `reason`, else a row, or a duplicate of one.

    `uuid` and `event_time`, in microseconds since the epoch, are of rows.
    """

    reason: str | None = None
    detail: str = ""
    is_duplicate: bool = False
    uuid: str | None = None
    event_time: int | None = None


class Trial:
    """Tries records of one topic by the contract, the schemas and the events that there are now."""

    def __init__(
        self, product: Product, registry: Registry, topic: TopicIdentity, events: Table
    ) -> None:
        """Read the product's reference data.

        Raises:
            ReferenceDataError: it cannot be read.
        """
        self._processor = Processor(product, registry, topic, "dry run", UUID_BYTES)
        self._events = events

    def of(self, records: Records) -> list[Tried]:
        """Return what each record would be, in their order; no two have the same coordinates.

        Records with one uuid are told apart: the first is a row. So are those of earlier calls.

        Raises:
            RegistryUnavailableError: a schema could not be looked up.
            FileMissingError, FileDamagedError, WarehouseUnavailableError: events cannot be read.
        """
        if not len(records):
            return []
        now = utc_now()
        try:
            done = self._processor.process(records, Exclusions(), self._events, now)
        except HeldBackError:
            letters = self._processor.dead_letters_of(records, Exclusions(), now)
            rows = pl.DataFrame(
                schema={
                    "_topic_partition": pl.Int32,
                    "_offset": pl.Int64,
                    "_uuid": pl.String,
                    "_event_time": pl.Datetime("us", "UTC"),
                }
            )
        else:
            letters, rows = done.dead_letters, done.rows
        found = {_place(letter): letter for letter in letters}
        told = {
            (partition, offset): (uuid, time)
            for partition, offset, uuid, time in rows.select(
                "_topic_partition", "_offset", "_uuid", pl.col("_event_time").dt.epoch("us")
            ).iter_rows()
        }
        places = zip(records.partition.tolist(), records.offset.tolist(), strict=True)
        return [self._tried(found.get(place), told.get(place)) for place in places]

    def _tried(self, letter: DeadLetter | None, row: tuple[str, int] | None) -> Tried:
        if letter is not None:
            return Tried(reason=letter.reason.value, detail=letter.detail)
        if row is None:
            return Tried(is_duplicate=True)
        return Tried(uuid=row[0], event_time=row[1])


def _place(letter: DeadLetter) -> tuple[int, int]:
    return letter.record.partition, letter.record.offset
