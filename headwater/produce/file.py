"""Producing the rows of a file as a product's events."""

from __future__ import annotations

import json
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from headwater.produce.model import BadRow, Event, Kind, Produced, tally
from headwater.produce.pace import Pace, Progress
from headwater.produce.rows import Source, SourceFileError, SourceRow, open_source
from pipeline.avro.field_path import value_at
from pipeline.cells import Cell
from pipeline.clock import Clock, utc_now
from pipeline.contract.model import Product
from pipeline.contract.targets.event_time import micros_of_time
from pipeline.contract.targets.topic import topic_config
from pipeline.produce.event_writer import EventWriter
from pipeline.produce.topic import ensure_topic
from pipeline.produce.value_frame import payload_encoder
from pipeline.rows.convert import RowError, required_columns, row_converter, value_converter
from pipeline.schemas.open import open_registry

TOLD = 10
"""Bad rows that are told of one by one."""
AHEAD_US = 3_600_000_000
"""Kafka refuses record times that lie further ahead of its clock, with all that is sent beside them."""
BESIDE_BYTES = 1024
"""More than what a record takes besides key and value."""


def produce_file(
    cell: Cell,
    product: Product,
    name: str,
    *,
    limit: int | None = None,
    rate: float | None = None,
    stop: threading.Event | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    clock: Clock = utc_now,
) -> Produced:
    """Send each row of the file `name` as an event; register schemas and make the topic first.

    Columns feed the payload's fields of the same name; others are left out. Record time is event time.
    With an envelope, the uuid is the column `uuid` where there is one, else made from file name, line
    and values, so that sending a file twice gives duplicates and no rows. Without an envelope nothing
    tells the second time from the first. Rows that do not fit are counted, and not sent. `limit` counts
    rows read.

    Raises:
        SourceFileError: the file cannot be read, or lacks columns; rows before what cannot be read are
            sent and acknowledged, and it says how many.
        BrokerUnavailableError, ProduceFailedError: Kafka did not take it all; what was acknowledged stays.
    """
    source = open_source(name)
    _require_columns(source, product)
    to_event = _converter(source, product, clock)
    encode = payload_encoder(product)
    most = int(topic_config(product).config["max.message.bytes"]) - BESIDE_BYTES
    stop = stop or threading.Event()
    ensure_topic(cell, product)
    counts: Counter[Kind] = Counter()
    bad = 0
    told: list[BadRow] = []
    job = f"file-{uuid.uuid4()}"
    with EventWriter(
        cell, product, open_registry(cell), producer="headwater", job_id=job
    ) as writer:
        pace = Pace(rate, limit, stop, on_progress)
        try:
            for row in _limited(source, limit, _wanted(product)):
                try:
                    event = to_event(row)
                    value = writer.frame(
                        _encoded(encode, event.payload),
                        key=event.key,
                        event_time=event.event_time,
                        uuid=event.uuid,
                    )
                    if len(value) > most:
                        raise RowError(f"{len(value):,} bytes, more than a record may have")
                except RowError as error:
                    bad += 1
                    if len(told) < TOLD:
                        told.append(BadRow(row.line, str(error)))
                    continue
                writer.send_raw(event.key.encode(), value, event.event_time)
                counts[Kind.VALID] += 1
                if not pace.step():
                    break
        except SourceFileError as error:
            writer.flush()
            raise SourceFileError(
                f"{error.what.rstrip('.')}; {counts[Kind.VALID]:,} rows were sent, {bad:,} did not fit.",
                subject=error.subject,
                remedy=error.remedy,
            ) from error
        writer.flush()
    return tally(counts, seconds=pace.seconds, interrupted=stop.is_set(), bad=(bad, tuple(told)))


def _encoded(encode: Callable[[Mapping[str, Any]], bytes], payload: Mapping[str, Any]) -> bytes:
    try:
        return encode(payload)
    except (ValueError, TypeError, KeyError) as error:
        # Values fit the payload; a .proto of the contract's own may have no place for one.
        raise RowError(f"no value of the format: {error}") from None


def _limited(source: Source, limit: int | None, wanted: frozenset[str]) -> Iterator[SourceRow]:
    for number, row in enumerate(source.rows(wanted)):
        if limit is not None and number >= limit:
            return
        yield row


def _wanted(product: Product) -> frozenset[str]:
    return frozenset({f["name"] for f in product.payload_schema["fields"]} | {"uuid"})


def _require_columns(source: Source, product: Product) -> None:
    if source.columns is None:
        return
    columns = Counter(source.columns)
    missing = [c for c in required_columns(product.payload_schema) if c not in columns]
    twice = [c for c in sorted(_wanted(product)) if columns[c] > 1]
    if missing or twice:
        problem = (
            f"no column for {', '.join(missing)}"
            if missing
            else f"columns twice: {', '.join(twice)}"
        )
        raise SourceFileError(
            f"{problem}.",
            subject=f"file {source.path}",
            remedy=f"Name the columns as the payload's fields; these are: {', '.join(source.columns)}.",
        )


def _converter(source: Source, product: Product, clock: Clock) -> Callable[[SourceRow], Event]:
    convert = row_converter(product.payload_schema, texts=source.texts)
    unit = micros_of_time(product)
    up, down = unit.numerator, unit.denominator
    prefix = f"{product.topic.name}/{source.path.name}"
    by_producer = product.topic.record_time == "CreateTime"
    text = value_converter("string")

    def event(row: SourceRow) -> Event:
        if row.values is None:
            raise RowError(row.problem)
        payload = convert(row.values)
        found = (value_at(payload, path) for path in product.key_paths)
        key = next((one for one in found if one is not None), None)
        event_time = value_at(payload, product.event_time)
        if key is None or key == "":
            raise RowError("no value, and it is the key", product.key)
        if event_time is None:
            raise RowError("no value, and it is the event time", product.event_time)
        if event_time < 0:
            raise RowError("before 1970, which Kafka cannot hold", product.event_time)
        latest = int(clock().timestamp() * 1_000_000) + AHEAD_US if by_producer else 2**63 - 1
        micros = event_time * up // down
        if micros > latest:
            raise RowError("more than an hour ahead, which Kafka refuses", product.event_time)
        event_uuid = ""
        if product.topic.envelope:
            try:
                event_uuid = text(row.values.get("uuid") or "")
            except (ValueError, TypeError) as error:
                raise RowError(str(error), "uuid") from None
            event_uuid = event_uuid or _uuid(prefix, row.last or row.line, payload)
        return Event(str(key), event_uuid, micros, payload)

    return event


def _uuid(prefix: str, line: int, payload: Mapping[str, Any]) -> str:
    text = json.dumps(payload, sort_keys=True, default=str)
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{prefix}/{line}/{text}"))
