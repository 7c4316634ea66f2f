"""Time other ways to do what an ingest does against the one that was taken, on the same events.

Wall time, the least of five runs, in nanoseconds an event; every way has both cores to itself.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from pyiceberg.schema import Schema
from pyiceberg.table import Table

from benchmarks import filling, results
from benchmarks.options import options_of
from benchmarks.trials.page import page
from benchmarks.trials.ways import Events, Way, columns, decoding, known_uuids, writing
from pipeline.cells import embedded_cell
from pipeline.contract.model import Product
from pipeline.ingest.commit.tables import ensure_tables
from pipeline.rows.frames import to_frame
from pipeline.tables.catalog import open_catalog
from pipeline.tables.data_files.write import write_hours

RUNS = 5
EXAMPLES = """\
examples:
  make bench-trials
  python -m benchmarks.trials --events 50000 --out /tmp/t   a short one that leaves the docs alone
"""


def main() -> int:
    """Measure, write result and page."""
    options = options_of("trials", __doc__, EXAMPLES)
    options.add_argument("--events", type=int, default=400_000, help="of 100 bytes (400000)")
    options.add_argument("--out", type=Path, help="folder for result and page")
    chosen = options.parse_args()
    out: Path | None = chosen.out
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        events = _events(folder, chosen.events)
        frame = to_frame(columns(events).table)
        rows = frame.sort("at").to_arrow(compat_level=pl.CompatLevel.oldest())
        ways = [
            *decoding(events),
            *known_uuids(frame.get_column("id")),
            *writing(rows, folder),
            *_tables(folder, events.product, frame),
        ]
        found = [_timed(way, events.count, folder) for way in ways]
    document = {"benchmark": "trials", "format": 1, **results.circumstances(), "ways": found}
    results.publish(document, "trials", out, page(document))
    return 0


def _events(folder: Path, count: int) -> Events:
    product = filling.plain_product(folder / "contracts", partitions=1)
    made = filling.plain_templates(product, 1, 100, 0, 1)
    rng = np.random.default_rng(1)
    # Within one hour, so that writing is of one file.
    times = 1_767_225_600_000_000 + np.sort(rng.integers(0, 3_600_000_000, count))
    data = made.stamped(rng.integers(0, len(made.keys), count), times, rng)
    return Events(product, data, count, 100)


def _tables(folder: Path, product: Product, frame: pl.DataFrame) -> list[Way]:
    """Return ways to make data files of a table from a batch's rows."""
    cell = embedded_cell(folder / "cell", "us", "127.0.0.1:9")
    events, _ = ensure_tables(cell, product)
    rows = _events_rows(events, frame)
    catalog = open_catalog(cell)
    fields = Schema(*events.schema().fields)
    other: Table = catalog.create_table(
        f"{product.name}.other", fields, partition_spec=events.spec()
    )
    whole = rows.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(events.schema().as_arrow())
    thing = "rows to data files"
    return [
        Way(thing, "PyIceberg's append", lambda: other.append(whole)),
        Way(
            thing,
            "sorted and written by us, to be added",
            lambda: write_hours(events, [rows]),
            True,
        ),
    ]


def _events_rows(events: Table, frame: pl.DataFrame) -> pl.DataFrame:
    empty = pl.from_arrow(events.schema().as_arrow().empty_table())
    if not isinstance(empty, pl.DataFrame):
        raise TypeError("a table becomes a frame")
    at = pl.col("at").cast(pl.Datetime("us", "UTC"))
    own = frame.with_row_index("_offset").with_columns(
        pl.col("_offset").cast(pl.Int64),
        pl.lit("topic").alias("_topic"),
        pl.lit("id").alias("_topic_id"),
        pl.lit(0, pl.Int32).alias("_topic_partition"),
        at.alias("_record_time"),
        at.alias("_ingested_at"),
        # Two hours, as a batch has.
        (at + pl.duration(hours=pl.col("_offset") % 2)).alias("_event_time"),
        pl.lit("run").alias("_run_id"),
        pl.col("id").alias("_uuid"),
        pl.col("account").alias("_key"),
        pl.lit(1, pl.Int32).alias("_schema_version"),
        pl.lit(value=False).alias("_late"),
    )
    return pl.concat([empty, own], how="diagonal_relaxed").select(empty.columns)


def _timed(way: Way, events: int, folder: Path) -> dict[str, Any]:
    best = float("inf")
    for _ in range(RUNS):
        before = {path: path.stat().st_mtime_ns for path in folder.iterdir() if path.is_file()}
        began = time.perf_counter()
        way.run()
        best = min(best, time.perf_counter() - began)
    wrote = [
        path.stat().st_size
        for path in folder.iterdir()
        if path.is_file() and before.get(path) != path.stat().st_mtime_ns
    ]
    found = {
        "thing": way.thing,
        "way": way.name,
        "ours": way.is_ours,
        "ns": round(best / events * 1e9, 1),
    }
    sys.stderr.write(f"{found['ns']:>9,.1f} ns  {way.thing}: {way.name}\n")
    return found | {"bytes": round(sum(wrote) / events, 2) if wrote else None}


if __name__ == "__main__":
    sys.exit(main())
