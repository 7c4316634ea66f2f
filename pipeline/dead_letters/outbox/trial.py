"""What ingest would make of records now: all that it does to them before it commits."""

from __future__ import annotations

import polars as pl
from pyiceberg.table import Table

from pipeline.clock import utc_now
from pipeline.contract.model import Product
from pipeline.dead_letters.fate import PLACE
from pipeline.ingest.transform.exclude import Exclusions
from pipeline.ingest.transform.held_back import HeldBackError
from pipeline.ingest.transform.process import Processor
from pipeline.kafka.identity import TopicIdentity
from pipeline.kafka.records import Records
from pipeline.schemas.registry import Registry

UUID_BYTES = 128 * 2**20
"""What known uuids of the hours that records are of may take; beyond it they are in a temporary file."""
_ROWS = {PLACE[0]: pl.Int32, PLACE[1]: pl.Int64, "uuid": pl.String, "event_time": pl.Int64}


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

    def of(self, records: Records) -> pl.DataFrame:
        """Return what each record would be, in their order; no two have the same coordinates.

        `reason` and `detail` are of dead letters, `uuid` and `event_time` (microseconds since the epoch) of
        rows, `is_duplicate` of the others. Of records with one uuid the first is a row, whichever call it was
        in.

        Raises:
            RegistryUnavailableError: a schema could not be looked up.
            FileMissingError, FileDamagedError, WarehouseUnavailableError: events cannot be read.
        """
        now = utc_now()
        rows = pl.DataFrame(schema=_ROWS)
        try:
            done = self._processor.process(records, Exclusions(), self._events, now)
        except HeldBackError:
            letters = self._processor.dead_letters_of(records, Exclusions(), now)
        else:
            letters = done.dead_letters
            time = pl.col("_event_time").dt.epoch("us")
            rows = done.rows.select(*PLACE, uuid="_uuid", event_time=time)
        refused = pl.DataFrame(
            [
                (one.record.partition, one.record.offset, one.reason.value, one.detail)
                for one in letters
            ],
            schema={
                PLACE[0]: pl.Int32,
                PLACE[1]: pl.Int64,
                "reason": pl.String,
                "detail": pl.String,
            },
            orient="row",
        )
        return (
            pl.DataFrame({PLACE[0]: records.partition, PLACE[1]: records.offset})
            .join(refused, on=PLACE, how="left", maintain_order="left")
            .join(rows, on=PLACE, how="left", maintain_order="left")
            .with_columns(is_duplicate=pl.col("reason").is_null() & pl.col("uuid").is_null())
        )
