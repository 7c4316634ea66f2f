"""Ingest against its peer, in one run on one broker: `make bench`.

Prints a JSON document a line: `events`, `seconds` of each repeat by contestant, and `ratio`, the
median of headwater / peer pair by pair (below 1 is faster than the peer).
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa
from pyiceberg.table import Table
from pyiceberg.transforms import HourTransform

from benchmarks import peer
from headwater.produce.generated import Order, produce_generated
from headwater.stack.broker import KafkaBroker
from headwater.stack.jars import ensure_jars
from headwater.stack.ports import free_port
from pipeline.cells import Cell, embedded_cell
from pipeline.contract.load import load_product
from pipeline.contract.model import Product
from pipeline.contract.targets import iceberg
from pipeline.ingest.run import ingest
from pipeline.schemas.registry import open_registry, register_product
from pipeline.settings import load_settings
from pipeline.tables.catalog import open_catalog


def main() -> None:
    """Fill a topic, then time both contestants in turn."""
    options = argparse.ArgumentParser(prog="make bench", description=__doc__)
    options.add_argument("--events", type=int, default=100_000)
    options.add_argument("--repeats", type=int, default=3)
    chosen = options.parse_args()
    settings = load_settings()
    product = load_product(settings.contracts / "viewing_events")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        jars = ensure_jars(settings.cache, "kafka", _say)
        broker = KafkaBroker(root / "kafka", jars, free_port(), free_port(), root / "kafka.log")
        process = broker.start()
        try:
            cell = embedded_cell(root, "us", broker.bootstrap_servers)
            _say(f"producing {chosen.events:,} events")
            produce_generated(cell, product, Order(count=chosen.events, backfill_hours=6))
            _run(root, cell, product, chosen.events, chosen.repeats)
        finally:
            process.stop()


def _run(root: Path, filled: Cell, product: Product, events: int, repeats: int) -> None:
    seconds: dict[str, list[float]] = {"headwater": [], "peer": []}
    # One run of each is not counted: it pays for imports.
    for number in range(repeats + 1):
        mine = embedded_cell(root / f"mine-{number}", "us", filled.bootstrap_servers)
        mine.root.mkdir(parents=True)
        # The same order of registration gives the same ids as the records carry.
        register_product(open_registry(mine), product)
        theirs = embedded_cell(root / f"theirs-{number}", "us", filled.bootstrap_servers)
        table, columns = _peer_table(theirs, product)
        began = time.perf_counter()
        rows = ingest(mine, product, once=True).rows
        between = time.perf_counter()
        appended = peer.ingest(theirs, product, table, columns, events)
        ended = time.perf_counter()
        if (rows, appended) != (events, events):
            raise SystemExit(f"not the same work: {rows} and {appended} of {events} rows")
        if number:
            seconds["headwater"].append(between - began)
            seconds["peer"].append(ended - between)
            _say(f"repeat {number}: {between - began:.2f} s against {ended - between:.2f} s")
    ratios = [a / b for a, b in zip(seconds["headwater"], seconds["peer"], strict=True)]
    document = {"events": events, "seconds": seconds, "ratio": statistics.median(ratios)}
    sys.stdout.write(json.dumps(document) + "\n")


def _peer_table(cell: Cell, product: Product) -> tuple[Table, pa.Schema]:
    whole = iceberg.events_schema(product)
    names = [field["name"] for field in product.payload_schema["fields"]]
    columns = pa.schema([whole.field(name) for name in ("_uuid", "_event_time", *names)])
    catalog = open_catalog(cell)
    catalog.create_namespace("peer")
    table = catalog.create_table("peer.events", columns)
    with table.update_spec() as spec:
        spec.add_field("_event_time", HourTransform(), "event_hour")
    return table, columns


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    main()
