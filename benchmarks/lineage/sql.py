"""How long questions in SQL about commits take, over 1,000, 10,000 and 100,000 of them."""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks import filling
from benchmarks.svg import Limit, Line, chart
from pipeline.cells import Cell, embedded_cell, save_cell
from pipeline.contract.model import Product
from pipeline.ingest.commit.tables import ensure_tables
from pipeline.kafka.identity import TopicIdentity
from pipeline.ledger.model import Counts, Entry, ledger_summary
from pipeline.maintenance.compact import compact
from pipeline.maintenance.plan import DEFAULT_POLICY
from pipeline.query.run import run_query
from pipeline.table_changes.archive import PARTITION
from pipeline.table_changes.kept import as_rows
from pipeline.table_changes.model import Change, Job, SourceOffsets
from pipeline.tables.catalog import load_table, open_catalog
from pipeline.tables.commit import RUN_ID_KEY, OffsetCommit, commit, write_files
from pipeline.tables.create import ensure_table
from pipeline.tables.layout import TABLE_CHANGES_SCHEMA, events_table, table_changes_table
from pipeline.tables.transaction import SteadyTransaction

ASKED, COLD = 40, 10
"""How often each question is asked in the process, and as a command."""
PROMISE_S = 1.0
"""What 95 of 100 may take, the start of a process apart."""
PARTITIONS = 4
EACH = 1_000
"""Offsets of one partition in one commit."""
TOGETHER = 60
"""Commits that one expiry keeps."""
RETAINED = 150
"""Commits that are in the metadata still, as beside an ingest that commits every minute."""
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
CHANGES = (
    "SELECT lineage FROM table_changes WHERE source_topic = '{}' AND offset > {} AND offset < {}"
)
HISTORY = "SELECT * FROM table_history WHERE snapshot_id = {}"


def add_options(options: argparse.ArgumentParser) -> None:
    """Add the part's options."""
    options.add_argument(
        "--commits", type=int, nargs="+", default=[1_000, 10_000, 100_000], help="how many commits"
    )


def measure(options: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    """Return the part's result."""
    sizes = []
    for commits in options.commits:
        with tempfile.TemporaryDirectory() as folder:
            sizes.append(_size(Path(folder), commits))
            say(json.dumps(sizes[-1]))
    met = all(one[key] < PROMISE_S for one in sizes for key in ("changes_p95_s", "history_p95_s"))
    return {"sizes": sizes, "met": met}


def plot(result: dict[str, Any]) -> str:
    """Return the SVG of how questions grow."""
    lines = [
        Line(name, [(one["commits"] / 1_000, one[key]) for one in result["sizes"]])
        for name, key in (
            ("table_changes by offsets, p95", "changes_p95_s"),
            ("table_history by snapshot, p95", "history_p95_s"),
        )
    ]
    limits = [Limit("promised", PROMISE_S)]
    return chart("Commits asked about in SQL", "thousand commits", "s", lines, limits)


def _size(root: Path, commits: int) -> dict[str, Any]:
    cell, product = _make(root, commits)
    chosen = random.Random(1)  # noqa: S311 - repeatable, not secret
    changes, history, cold = [], [], []
    for number in range(ASKED):
        at = chosen.randrange(commits - RETAINED - 1)
        text = CHANGES.format(product.topic.name, at * EACH, (at + 2) * EACH)
        changes.append(_ask(cell, text, PARTITIONS))
        text = HISTORY.format(10**12 + at)
        history.append(_ask(cell, text, 1))
        if number < COLD:
            cold.append(_cold(root, cell, text))
    return {
        "commits": commits,
        "changes_median_s": round(statistics.median(changes), 3),
        "changes_p95_s": _p95(changes),
        "history_median_s": round(statistics.median(history), 3),
        "history_p95_s": _p95(history),
        "cold_median_s": round(statistics.median(cold), 3),
        "cold_p95_s": _p95(cold),
    }


def _ask(cell: Cell, text: str, rows: int) -> float:
    began = time.perf_counter()
    with run_query(cell, text) as answer:
        found = sum(batch.num_rows for batch in answer.batches)
    took = time.perf_counter() - began
    if not rows <= found <= 2 * rows:
        raise RuntimeError(f"{text}: {found} rows")
    return took


def _cold(root: Path, cell: Cell, text: str) -> float:
    save_cell(root / "home", cell)
    settings = {**os.environ, "HEADWATER_HOME": str(root / "home")}
    command = [sys.executable, "-m", "headwater.cli.main", "sql", text, "--cell", "us", "--json"]
    began = time.perf_counter()
    subprocess.run(command, env=settings, capture_output=True, text=True, check=True)
    return time.perf_counter() - began


def _make(root: Path, commits: int) -> tuple[Cell, Product]:
    """Make a cell whose events had so many commits: what is kept of them is written as expiries would."""
    product = filling.plain_product(root / "contracts", partitions=PARTITIONS)
    cell = embedded_cell(root / "home", "us", "127.0.0.1:9")
    _retained(cell, product, commits)
    name = table_changes_table(product.name)
    table = ensure_table(open_catalog(cell), name, TABLE_CHANGES_SCHEMA, PARTITION)
    kept = commits - RETAINED
    for start in range(0, kept, TOGETHER):
        numbers = range(start, min(start + TOGETHER, kept))
        files = write_files(table, as_rows(_changes(product, numbers)))
        transaction = SteadyTransaction(table)
        transaction.append_files(files)
        transaction.commit_transaction()
        if start // TOGETHER % 60 == 59:
            compact(table, DEFAULT_POLICY, whole=False)
            table = load_table(cell, name)
    compact(table, DEFAULT_POLICY)
    return cell, product


def _changes(product: Product, numbers: range) -> Iterator[Change]:
    for number in numbers:
        yield Change(
            table="events",
            snapshot_id=10**12 + number,
            parent_id=10**12 + number - 1,
            sequence_number=number + 1,
            committed_at=BEGIN + timedelta(minutes=number),
            operation="append",
            job=Job.INGEST,
            run_id=f"run-{number // 1_000}",
            contract_version="1.0.0",
            code_version="0123456789ab",
            added=PARTITIONS * EACH,
            deleted=0,
            total=(number + 1) * PARTITIONS * EACH,
            offsets=tuple(
                SourceOffsets(
                    product.topic.name,
                    "topic",
                    partition,
                    number * EACH,
                    (number + 1) * EACH - 1,
                    Counts(rows=EACH),
                )
                for partition in range(PARTITIONS)
            ),
        )


def _retained(cell: Cell, product: Product, commits: int) -> None:
    """Commit the last of them, without rows, as ingest's commits are."""
    identity = TopicIdentity("cluster", product.topic.name, "topic", tuple(range(PARTITIONS)))
    first = dict.fromkeys(identity.partitions, 0)
    ensure_tables(cell, product)
    for number in range(commits - RETAINED, commits):
        table = load_table(cell, events_table(product.name))
        ends = dict.fromkeys(identity.partitions, (number + 1) * EACH)
        entries = [
            Entry(partition, number * EACH, ends[partition], compacted=EACH)
            for partition in identity.partitions
        ]
        said = {RUN_ID_KEY: "run", **ledger_summary(entries)}
        commit(table, (), OffsetCommit(identity, first, ends, said))


def _p95(taken: list[float]) -> float:
    return round(sorted(taken)[int(0.95 * (len(taken) - 1) + 0.5)], 3)
