"""The ways: each a function over the same events, timed whole."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fastavro
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.avro.decoding.columns import ColumnReader, Columns
from pipeline.contract.model import Product
from pipeline.contract.targets import iceberg
from pipeline.ingest.dedup.uuid_hash import uuid_words
from pipeline.ingest.dedup.uuid_set import UuidSet
from pipeline.tables.data_files.write import _repeated

LIMIT = 1 << 20
_SYNC = b"0123456789abcdef"


@dataclass(frozen=True)
class Way:
    """One way to do a thing, and the thing; `is_ours` marks the one that was taken."""

    thing: str
    name: str
    run: Callable[[], object]
    is_ours: bool = False


@dataclass(frozen=True)
class Events:
    """Values end to end, all of `size` bytes, in Confluent's wire format, and their product."""

    product: Product
    data: bytes
    count: int
    size: int


def decoding(events: Events) -> list[Way]:
    """Return ways from bytes to columns."""
    parsed = fastavro.parse_schema(dict(events.product.payload_schema))
    pool = ProcessPoolExecutor(1)
    pool.submit(_elsewhere, events).result()

    def singly() -> pa.Table:
        read, size, data = fastavro.schemaless_reader, events.size, events.data
        rows: list[Any] = [
            read(io.BytesIO(data[at + 5 : at + size]), parsed, None)
            for at in range(0, len(data), size)
        ]
        return pa.Table.from_pylist(rows, schema=iceberg.payload_schema(events.product))

    thing = "decode Avro"
    return [
        Way(thing, "fastavro, a record at a time", singly),
        Way(thing, "one Avro block, read by polars", lambda: block(events)),
        Way(thing, "compiled programs, texts as views", lambda: columns(events).table, True),
        Way(thing, "the same, texts copied", lambda: _copied(columns(events).table)),
        Way(
            thing,
            "the same in a second process, columns handed back",
            lambda: pa.ipc.open_stream(pool.submit(_elsewhere, events).result()).read_all(),
        ),
    ]


def block(events: Events) -> pl.DataFrame:
    """Read the values as one block of an Avro file: everything but the 5 bytes before each."""
    bodies = np.frombuffer(events.data, np.uint8).reshape(-1, events.size)[:, 5:].tobytes()
    header = io.BytesIO()
    schema = json.dumps(events.product.payload_schema).encode()
    fastavro.schemaless_writer(
        header, {"type": "map", "values": "bytes"}, {"avro.schema": schema, "avro.codec": b"null"}
    )
    counts = io.BytesIO()
    for number in (events.count, len(bodies)):
        fastavro.schemaless_writer(counts, "long", number)
    file = b"Obj\x01" + header.getvalue() + _SYNC + counts.getvalue() + bodies + _SYNC
    return pl.read_avro(io.BytesIO(file))


def columns(events: Events) -> Columns:
    """Read the values as an ingest does."""
    payload = iceberg.payload_schema(events.product)
    reader = ColumnReader(dict(events.product.payload_schema), payload, enveloped=False)
    schema_id = int.from_bytes(events.data[1:5], "big")
    reader.add_schema(schema_id, events.product.payload_schema)
    starts = np.arange(events.count, dtype=np.int64) * events.size
    lengths = np.full(events.count, events.size, np.int64)
    return reader.read(np.frombuffer(events.data, np.uint8), starts, lengths, LIMIT)


def _copied(table: pa.Table) -> pa.Table:
    wide = [
        pa.field(f.name, pa.large_string() if pa.types.is_string_view(f.type) else f.type)
        for f in table.schema
    ]
    return table.cast(pa.schema(wide))


def _elsewhere(events: Events) -> bytes:
    table = _copied(columns(events).table)
    out = io.BytesIO()
    with pa.ipc.new_stream(out, table.schema) as stream:
        stream.write_table(table)
    return out.getvalue()


def known_uuids(uuids: pl.Series) -> list[Way]:
    """Return ways to tell which uuids are new."""

    def texts() -> int:
        known: set[str] = set()
        for one in uuids.to_list():
            known.add(one)
        return len(known)

    thing = "know uuids"
    return [
        Way(thing, "a Python set of texts", texts),
        Way(
            thing,
            "128-bit numbers in a compiled set",
            lambda: UuidSet().add(uuid_words(uuids)),
            True,
        ),
    ]


def writing(rows: pa.Table, folder: Path) -> list[Way]:
    """Return ways to write sorted rows of one hour as Parquet; files are named by their way."""
    some = _repeated(rows)
    frame = pl.from_arrow(rows)
    if not isinstance(frame, pl.DataFrame):
        raise TypeError("a table becomes a frame")

    def arrow(name: str, part: pa.Table = rows, **options: Any) -> Callable[[], object]:
        wanted = {"compression": "zstd", "compression_level": 1, "use_dictionary": some} | options
        return lambda: pq.write_table(part, folder / name, write_page_index=True, **wanted)

    half = len(rows) // 2
    halves = [arrow("half-1", rows.slice(0, half)), arrow("half-2", rows.slice(half))]
    threads = ThreadPoolExecutor(2)
    thing = "write Parquet"
    return [
        Way(thing, "Arrow, zstd 1, dictionaries where values repeat", arrow("ours"), True),
        Way(thing, "Arrow, zstd 1, every dictionary", arrow("all", use_dictionary=True)),
        Way(thing, "Arrow, zstd 3", arrow("zstd3", compression_level=3)),
        Way(thing, "Arrow, lz4", arrow("lz4", compression="lz4", compression_level=None)),
        Way(
            thing,
            "polars, zstd 1",
            lambda: frame.write_parquet(folder / "polars", compression="zstd", compression_level=1),
        ),
        Way(
            thing,
            "Arrow, as ours, two files in two threads",
            lambda: [one.result() for one in [threads.submit(half) for half in halves]],
        ),
    ]
