"""Producing the rows of a file as a product's events."""

from __future__ import annotations

import json
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from headwater.produce.convert import RowError, required_columns, row_converter
from headwater.produce.model import BadRow, Event, Kind, Produced, tally
from headwater.produce.pace import Pace, Progress
from headwater.produce.rows import Source, SourceFileError, SourceRow, open_source
from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.contract.targets.avro import logical_type
from pipeline.kafka.produce import EncodingError, EventWriter
from pipeline.kafka.topics import ensure_topic
from pipeline.schemas.registry import open_registry

TOLD = 10
"""Bad rows that are told of one by one."""


def produce_file(
    cell: Cell,
    product: Product,
    name: str,
    *,
    limit: int | None = None,
    rate: float | None = None,
    stop: threading.Event | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Produced:
    """Send each row of the file `name` as an event; register schemas and make the topic first.

    Columns feed the payload's fields of the same name; others are left out. Record time is event time.
    With an envelope, the uuid is the column `uuid` where there is one, else made from file name, line
    and values, so that sending a file twice gives duplicates and no rows. Without an envelope nothing
    tells the second time from the first. Rows that do not fit are counted, and not sent. `limit` counts
    rows read.

    Raises:
        SourceFileError: the file cannot be read, or lacks columns.
        BrokerUnavailableError, ProduceFailedError: Kafka did not take it all; what was acknowledged stays.
    """
    source = open_source(name)
    _require_columns(source, product)
    to_event = _converter(source, product)
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
        for row in _limited(source, limit):
            try:
                event = to_event(row)
                value = writer.encode(
                    event.payload, key=event.key, event_time=event.event_time, uuid=event.uuid
                )
            except (RowError, EncodingError) as error:
                bad += 1
                if len(told) < TOLD:
                    problem = error.what if isinstance(error, EncodingError) else str(error)
                    told.append(BadRow(row.line, problem))
                continue
            writer.send_raw(event.key.encode(), value, event.event_time)
            counts[Kind.VALID] += 1
            if not pace.step():
                break
        writer.flush()
    return tally(counts, seconds=pace.seconds, interrupted=stop.is_set(), bad=(bad, tuple(told)))


def _limited(source: Source, limit: int | None) -> Iterator[SourceRow]:
    for number, row in enumerate(source.rows()):
        if limit is not None and number >= limit:
            return
        yield row


def _require_columns(source: Source, product: Product) -> None:
    if source.columns is None:
        return
    missing = [c for c in required_columns(product.payload_schema) if c not in source.columns]
    if missing:
        raise SourceFileError(
            f"no column for {', '.join(missing)}.",
            subject=f"file {source.path}",
            remedy=f"Name the columns as the payload's fields; these are: {', '.join(source.columns)}.",
        )


def _converter(source: Source, product: Product) -> Callable[[SourceRow], Event]:
    convert = row_converter(product.payload_schema, texts=source.texts)
    types = {f["name"]: f["type"] for f in product.payload_schema["fields"]}
    scale = 1000 if logical_type(types[product.event_time]) == "timestamp-millis" else 1
    prefix = f"{product.topic.name}/{source.path.name}"

    def event(row: SourceRow) -> Event:
        if row.values is None:
            raise RowError(row.problem)
        payload = convert(row.values)
        key, event_time = payload[product.key], payload[product.event_time]
        if key is None or key == "":
            raise RowError(f"{product.key}: no value, and it is the key")
        if not isinstance(event_time, int):
            raise RowError(f"{product.event_time}: not an instant, and it is the event time")
        if event_time < 0:
            raise RowError(f"{product.event_time}: before 1970, which Kafka cannot hold")
        event_uuid = ""
        if product.topic.envelope:
            given = row.values.get("uuid")
            event_uuid = str(given) if given else _uuid(prefix, row.line, payload)
        return Event(str(key), event_uuid, event_time * scale, payload)

    return event


def _uuid(prefix: str, line: int, payload: Mapping[str, Any]) -> str:
    text = json.dumps(payload, sort_keys=True, default=str)
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{prefix}/{line}/{text}"))
