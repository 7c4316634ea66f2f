"""A product's tables of many rows, made without Kafka: files by `write_hours`, commits as ingest's."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from benchmarks import filling
from pipeline.cells import Cell, embedded_cell
from pipeline.contract.load import load_product
from pipeline.contract.model import Product
from pipeline.contract.targets import iceberg
from pipeline.ingest.commit.tables import ensure_tables
from pipeline.kafka.identity import TopicIdentity
from pipeline.ledger.model import Entry, ledger_summary
from pipeline.tables.commit import RUN_ID_KEY, OffsetCommit, commit, write_files
from pipeline.tables.data_files.write import write_hours
from pipeline.tables.layout import DEAD_LETTER_SCHEMA

HOURS = 10
"""Of one commit."""
EACH = 100_000
"""Rows of an hour, in one file."""
LETTERS = 1_000
"""Dead letters of a table of any size."""
PARTITIONS = 4
SERVERS = "127.0.0.1:9"
"""Of a Kafka that is not asked."""
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def made_table(
    root: Path, millions: int, say: Callable[[str], None]
) -> tuple[Cell, Product, list[str]]:
    """Return what `_make` does; of a folder that has the table already, what is there."""
    kept = root / "uuids.json"
    if not kept.exists():
        found = _make(root, millions, say)
        kept.write_text(json.dumps(found[2]))
        return found
    product = load_product(root / "contracts" / filling.PLAIN)
    return embedded_cell(root / "home", "us", SERVERS), product, json.loads(kept.read_text())


def _make(root: Path, millions: int, say: Callable[[str], None]) -> tuple[Cell, Product, list[str]]:
    """Make a cell under `root` with so many million rows; return it, its product and some of the uuids."""
    product = filling.plain_product(root / "contracts", partitions=PARTITIONS)
    cell = embedded_cell(root / "home", "us", SERVERS)
    identity = TopicIdentity("cluster", product.topic.name, "topic", tuple(range(PARTITIONS)))
    rng = np.random.default_rng(millions)
    kept: list[str] = []
    position = 0
    first = dict.fromkeys(identity.partitions, 0)
    for number in range(millions * 1_000_000 // (HOURS * EACH)):
        events, side = ensure_tables(cell, product)
        frames = [
            hour_rows(product, identity, number * HOURS + hour, position + hour * EACH, rng)
            for hour in range(HOURS)
        ]
        kept += [frame.get_column("_uuid")[int(rng.integers(EACH))] for frame in frames]
        begin, position = position, position + HOURS * EACH
        letters = _letters(side.schema().as_arrow().empty_table(), identity, rng, number)
        ends = dict.fromkeys(identity.partitions, position // PARTITIONS)
        entries = tuple(
            Entry(partition, begin // PARTITIONS, ends[partition], rows=HOURS * EACH // PARTITIONS)
            for partition in identity.partitions
        )
        said = {RUN_ID_KEY: "benchmark", **ledger_summary(entries)}
        commit(side, write_files(side, letters), OffsetCommit(identity, first, ends, said))
        commit(events, write_hours(events, frames), OffsetCommit(identity, first, ends, said))
        if (number + 1) % 10 == 0:
            say(f"{(number + 1) * HOURS * EACH:,} rows")
    return cell, product, kept


def hour_rows(
    product: Product,
    identity: TopicIdentity,
    hour: int,
    begin: int,
    rng: np.random.Generator,
) -> pl.DataFrame:
    """Return the rows of one hour, their uuids drawn; of the payload only the account has values."""
    columns = iceberg.events_schema(product)
    at = BEGIN + timedelta(hours=hour)
    number = pl.int_range(EACH, dtype=pl.Int64, eager=True)
    time = pl.lit(at) + pl.duration(microseconds=pl.col("n") * (3_600_000_000 // EACH))
    frame = pl.DataFrame({"n": number}).with_columns(
        _topic=pl.lit(identity.topic),
        _topic_id=pl.lit(identity.topic_id),
        _topic_partition=(pl.col("n") % PARTITIONS).cast(pl.Int32),
        _offset=(pl.col("n") + begin) // PARTITIONS,
        _record_time=time,
        _ingested_at=pl.lit(at + timedelta(minutes=61)),
        _run_id=pl.lit("benchmark"),
        _uuid=uuids(rng, EACH),
        _key=pl.format("account-{}", pl.col("n") % 1_000),
        _event_time=time,
        _schema_version=pl.lit(1, pl.Int32),
        _late=pl.lit(value=False),
        account=pl.format("account-{}", pl.col("n") % 1_000),
    )
    empty = pl.DataFrame(columns.empty_table())
    return pl.concat([empty, frame.drop("n")], how="diagonal_relaxed").select(columns.names)


def uuids(rng: np.random.Generator, count: int) -> pl.Series:
    """Return drawn uuids as text."""
    digits = rng.bytes(16 * count).hex()
    text = pl.Series([digits[at : at + 32] for at in range(0, len(digits), 32)])
    parts = [text.str.slice(start, size) for start, size in _PARTS]
    return pl.select(pl.concat_str(parts, separator="-")).to_series()


_PARTS = ((0, 8), (8, 4), (12, 4), (16, 4), (20, 12))


def _letters(
    empty: pa.Table, identity: TopicIdentity, rng: np.random.Generator, number: int
) -> pa.Table:
    """Return the dead letters of the first commit, none of any other: each of 200 drawn bytes."""
    if number:
        return empty
    places: npt.NDArray[np.int64] = np.arange(LETTERS) + 10**12
    rows = [
        {
            "_topic": identity.topic,
            "_topic_id": identity.topic_id,
            "_topic_partition": 0,
            "_offset": int(place),
            "_record_time": BEGIN,
            "_ingested_at": BEGIN,
            "_run_id": "benchmark",
            "reason": "undecodable",
            "detail": "drawn",
            "record_key": b"account",
            "record_value": rng.bytes(200),
            "headers": [],
        }
        for place in places
    ]
    return pa.Table.from_pylist(rows, schema=DEAD_LETTER_SCHEMA)
