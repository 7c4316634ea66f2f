"""What would go back to the topic for each dead letter, and what ingest would make of it now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import polars as pl
import pyarrow as pa
from pyiceberg.table import Table

from pipeline.cells import Cell
from pipeline.clock import Clock
from pipeline.contract.model import Product
from pipeline.dead_letters.fixes.fix import Broken, Fix, Fixed, broken
from pipeline.dead_letters.opened import Opener
from pipeline.dead_letters.outbox.as_contract import by_current_names
from pipeline.dead_letters.outbox.chunks import chunks, raw_records
from pipeline.dead_letters.outbox.records import records_of
from pipeline.dead_letters.outbox.trial import Trial, Tried
from pipeline.dead_letters.selection import Selection
from pipeline.ingest.transform.origins import origin_header
from pipeline.kafka.framing import ORIGIN_HEADER, REPLAY_HEADER
from pipeline.kafka.identity import TopicIdentity
from pipeline.kafka.records import RawRecord
from pipeline.produce.value_frame import ValueFrame, payload_encoder
from pipeline.rows.convert import RowError, row_converter
from pipeline.schemas.open import open_registry
from pipeline.schemas.registry import Registry

MICROS_PER_HOUR = 3_600_000_000


class Verdict(StrEnum):
    """What would become of a dead letter that is replayed now."""

    PASSES = "passes"
    """It would be a row."""
    DUPLICATE = "duplicate"
    """Its event is a row already: it would be dropped as one that comes twice."""
    FAILS = "fails"
    """It would be a dead letter again."""
    NOT_FIXED = "not_fixed"
    """The fix has nothing that could go back for it."""


@dataclass(frozen=True)
class Outgoing:
    """One dead letter, what goes back for it, and what would become of that.

    Attributes:
        letter: the dead letter's record and coordinates.
        origin: partition and offset where its record stood first.
        record: what goes back; at the dead letter's coordinates, as it has none of its own yet.
        why: the reason of the dead letter that it would be, or why it is not fixed, for people.
    """

    letter: RawRecord
    reason: str
    origin: tuple[int, int]
    record: RawRecord
    verdict: Verdict
    why: str

    @property
    def goes_back(self) -> bool:
        """Whether a replay sends it."""
        return self.verdict in (Verdict.PASSES, Verdict.DUPLICATE)


class Outbox:
    """Makes what goes back, by a fix or as it is, and tries it out. Sends nothing."""

    def __init__(
        self,
        cell: Cell,
        product: Product,
        topic: TopicIdentity,
        events: Table,
        fix: Fix | None,
        replay_id: str,
        clock: Clock,
    ) -> None:
        """Register the product's schemas, if there is a fix.

        Raises:
            RegistryUnavailableError, IncompatibleSchemaError: as `register_product`.
            ReferenceDataError: reference data cannot be read.
        """
        registry = open_registry(cell)
        self._topic = topic
        self._replay_id = replay_id
        self._clock = clock
        self._trial = Trial(product, registry, topic, events)
        self._mender = None if fix is None else _Mender(product, registry, topic, fix)

    def of(
        self,
        letters: Table,
        selection: Selection,
        wanted: pl.DataFrame,
        progress: Callable[[int], None] = lambda _: None,
    ) -> Iterator[list[Outgoing]]:
        """Yield what goes back for the dead letters `wanted`, of which a frame has ORIGIN and coordinates.

        Raises: as `chunks`; RegistryUnavailableError, FixInvalidError.
        """
        origins = {
            (partition, offset): (first, at)
            for partition, offset, first, at in wanted.select(
                "_topic_partition", "_offset", "_origin_partition", "_origin_offset"
            ).iter_rows()
        }
        for rows in chunks(letters, selection.rows(), wanted):
            yield self._of(rows, origins)
            progress(rows.num_rows)

    def _of(
        self, rows: pa.Table, origins: dict[tuple[int, int], tuple[int, int]]
    ) -> list[Outgoing]:
        records = raw_records(rows)
        reasons = rows.column("reason").to_pylist()
        details = rows.column("detail").to_pylist()
        made = (
            [None] * len(records)
            if self._mender is None
            else self._mender.mended(records, reasons, details)
        )
        back: list[RawRecord] = []
        origin_of = [origins[record.partition, record.offset] for record in records]
        for record, origin, mended in zip(records, origin_of, made, strict=True):
            sent = mended.record if isinstance(mended, Mended) else record
            back.append(self._addressed(sent, record, origin))
        places = [n for n, mended in enumerate(made) if not isinstance(mended, str)]
        tried = dict(
            zip(places, self._trial.of(records_of([back[n] for n in places])), strict=True)
        )
        return [
            _judged(record, reason, origin_of[n], back[n], made[n], tried.get(n))
            for n, (record, reason) in enumerate(zip(records, reasons, strict=True))
        ]

    def _addressed(
        self, record: RawRecord, letter: RawRecord, origin: tuple[int, int]
    ) -> RawRecord:
        """Return `record` with the headers of a replay, as of now."""
        told = dict(letter.headers).get(ORIGIN_HEADER)
        came_ms = letter.record_time // 1_000
        if origin != (letter.partition, letter.offset) and told is not None:
            # Of a replay that came back: its time is not the first one's.
            came_ms = int(told.rpartition(b"/")[2])
        first = origin_header(self._topic.topic_id, *origin, came_ms)
        kept = [one for one in record.headers if one[0] not in (ORIGIN_HEADER, REPLAY_HEADER)]
        own = [(ORIGIN_HEADER, first), (REPLAY_HEADER, self._replay_id.encode())]
        now = int(self._clock().timestamp() * 1_000) * 1_000
        return replace(record, record_time=now, headers=(*kept, *own))


@dataclass(frozen=True)
class Mended:
    """A record that a fix made, and who it was before, as far as that is known."""

    record: RawRecord
    uuid: str | None
    event_time: int | None


class _Mender:
    """Makes records of what a fix returns."""

    def __init__(
        self, product: Product, registry: Registry, topic: TopicIdentity, fix: Fix
    ) -> None:
        self._product = product
        self._fix = fix
        self._opener = Opener(product, registry, topic)
        self._convert = row_converter(product.payload_schema, texts=False)
        self._encode = payload_encoder(product)
        self._frame = ValueFrame(product, registry)

    def mended(
        self, records: Sequence[RawRecord], reasons: Sequence[str], details: Sequence[str]
    ) -> list[Mended | str | None]:
        given = [
            broken(record, reason, detail, self._opener.open(record))
            for record, reason, detail in zip(records, reasons, details, strict=True)
        ]
        return [
            made if isinstance(made, str) else self._record(letter, made)
            for letter, made in zip(given, self._fix.apply(given), strict=True)
        ]

    def _record(self, letter: Broken, made: Fixed) -> Mended | str:
        enveloped = self._product.topic.envelope
        if enveloped and not (made.uuid and made.key and made.event_time is not None):
            return (
                "an envelope needs uuid, key and event time, and the record does not say them all"
            )
        if letter.uuid is not None and made.uuid != letter.uuid:
            return "the fix changes the uuid"
        try:
            payload = self._convert(by_current_names(made.payload, self._product.payload_schema))
            body = self._encode(payload)
        except (RowError, ValueError, TypeError, KeyError, OverflowError) as error:
            return f"no payload of the contract: {error}"[:300]
        value = self._frame.value(
            body, key=made.key or "", event_time=made.event_time or 0, uuid=made.uuid or ""
        )
        key = (made.key or "").encode() if enveloped else letter.record.key
        return Mended(replace(letter.record, key=key, value=value), letter.uuid, letter.event_time)


def _judged(
    letter: RawRecord,
    reason: str,
    origin: tuple[int, int],
    record: RawRecord,
    made: Mended | str | None,
    tried: Tried | None,
) -> Outgoing:
    if tried is None:
        why = made if isinstance(made, str) else ""
        return Outgoing(letter, reason, origin, record, Verdict.NOT_FIXED, why)
    verdict, why = Verdict.PASSES, ""
    if tried.reason is not None:
        verdict, why = Verdict.FAILS, f"{tried.reason}: {tried.detail}"
    elif isinstance(made, Mended) and (changed := _changed(made, tried)):
        verdict, why = Verdict.NOT_FIXED, changed
    elif tried.is_duplicate:
        verdict = Verdict.DUPLICATE
    return Outgoing(letter, reason, origin, record, verdict, why)


def _changed(made: Mended, tried: Tried) -> str:
    """Return which of what a fix may not change it changes; empty for none."""
    if made.uuid is not None and tried.uuid != made.uuid:
        return "the fix changes the uuid"
    if made.event_time is not None and tried.event_time is not None:
        before, after = made.event_time // MICROS_PER_HOUR, tried.event_time // MICROS_PER_HOUR
        if before != after:
            return "the fix moves the event to another hour"
    return ""
