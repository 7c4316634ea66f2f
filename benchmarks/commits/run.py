"""Committing small batches as ingest does, with maintenance in between, and timing each commit."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from pipeline.cells import embedded_cell
from pipeline.contract.model import Product
from pipeline.contract.targets import iceberg
from pipeline.ingest.commit.tables import ensure_tables
from pipeline.kafka.identity import TopicIdentity
from pipeline.ledger.model import Entry, ledger_summary
from pipeline.ledger.read import read_ledger
from pipeline.maintenance.plan import MaintenancePolicy
from pipeline.maintenance.run import maintain
from pipeline.tables.commit import OffsetCommit, commit
from pipeline.tables.data_files.write import write_hours

FIRST = 10
WINDOW = 100
PARTITIONS = 4


@dataclass(frozen=True)
class Order:
    """How many commits, of how many rows, with maintenance after every so many."""

    commits: int = 5_000
    rows: int = 1_000
    maintain_every: int = 50


@dataclass(frozen=True)
class Window:
    """Seconds from loading the tables to the second commit's return; `median` and `p95` of a window."""

    first: int
    median: float
    p95: float


@dataclass(frozen=True)
class Measured:
    """The first ten commits, every window of a hundred, and what maintenance took."""

    base: Window
    windows: tuple[Window, ...]
    maintenance_s: tuple[float, ...]
    rows: int
    balanced: bool

    @property
    def worst(self) -> float:
        """The slowest window's median over the first ten's."""
        return max(window.median for window in self.windows) / self.base.median


def measure(root: Path, product: Product, order: Order, say: Callable[[str], None]) -> Measured:
    """Commit `order` to a new cell under `root` and return what each commit took.

    A commit is what ingest makes of a batch: both tables loaded, a file for each of two hours
    written, the dead letters' offsets and then the events' committed. Maintenance is timed apart.
    """
    cell = embedded_cell(root, "us", "127.0.0.1:9")
    identity = TopicIdentity("cluster", product.topic.name, "topic", tuple(range(PARTITIONS)))
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    frames = [_rows(product, identity, begin, order.rows)]
    policy = MaintenancePolicy(retain=timedelta(0), retain_last=20)
    took: list[float] = []
    upkeep: list[float] = []
    for number in range(order.commits):
        started = time.perf_counter()
        events, side = ensure_tables(cell, product)
        start = number * order.rows
        ends = dict.fromkeys(identity.partitions, (number + 1) * order.rows)
        entries = tuple(
            Entry(
                p,
                start,
                ends[p],
                rows=order.rows if p == 0 else 0,
                control=0 if p == 0 else order.rows,
            )
            for p in identity.partitions
        )
        first = dict.fromkeys(identity.partitions, 0)
        files = write_hours(events, frames)
        commit(side, (), OffsetCommit(identity, first, ends, ledger_summary(entries)))
        commit(events, files, OffsetCommit(identity, first, ends, ledger_summary(entries)))
        took.append(time.perf_counter() - started)
        if (number + 1) % order.maintain_every == 0:
            started = time.perf_counter()
            maintain(cell, product, policy)
            upkeep.append(time.perf_counter() - started)
            recent = statistics.median(took[-order.maintain_every :])
            say(
                f"{number + 1:,} commits: {recent * 1000:.0f} ms each; maintained in {upkeep[-1]:.1f} s"
            )
    events, _ = ensure_tables(cell, product)
    ledger = read_ledger(cell, product, last=0)
    return Measured(
        base=_window(0, took[:FIRST]),
        windows=tuple(_window(i, took[i : i + WINDOW]) for i in range(0, len(took), WINDOW)),
        maintenance_s=tuple(upkeep),
        rows=events.scan().count(),
        balanced=ledger.balanced,
    )


def _window(first: int, took: list[float]) -> Window:
    ordered = sorted(took)
    return Window(first, statistics.median(ordered), ordered[int(len(ordered) * 0.95)])


def _rows(product: Product, identity: TopicIdentity, begin: datetime, count: int) -> pl.DataFrame:
    """Return rows of two hours; the payload's columns are null."""
    columns = iceberg.events_schema(product)
    frame = pl.DataFrame({"n": range(count)}).with_columns(
        _topic=pl.lit(identity.topic),
        _topic_id=pl.lit(identity.topic_id),
        _topic_partition=pl.lit(0, pl.Int32),
        _offset=pl.col("n"),
        _record_time=pl.lit(begin),
        _ingested_at=pl.lit(begin),
        _run_id=pl.lit("benchmark"),
        _uuid=pl.col("n").cast(pl.String),
        _key=pl.col("n").cast(pl.String),
        _event_time=pl.lit(begin) + pl.duration(hours=pl.col("n") % 2, seconds=pl.col("n") % 3600),
        _schema_version=pl.lit(1, pl.Int32),
        _late=pl.lit(value=False),
    )
    empty = pl.from_arrow(columns.empty_table())
    if not isinstance(empty, pl.DataFrame):
        raise TypeError("a table becomes a frame")
    return pl.concat([empty, frame.drop("n")], how="diagonal_relaxed").select(columns.names)
