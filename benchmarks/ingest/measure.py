"""One run of one contestant: a fresh cell, a fresh process, the clock, and a look at its table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
from pyiceberg.transforms import HourTransform

from benchmarks.clocked import clocked
from benchmarks.ingest.contestants import contestant
from benchmarks.ingest.work import TABLE, WARM_UP, Topic, Work, fields_of
from pipeline.cells import Cell, embedded_cell
from pipeline.contract.load import load_product
from pipeline.contract.model import Product
from pipeline.contract.targets import iceberg
from pipeline.schemas.open import open_registry
from pipeline.schemas.registration import register_product, register_protobuf
from pipeline.tables.catalog import open_catalog


@dataclass(frozen=True)
class Run:
    """What one run took.

    Attributes:
        cpu_s: of the contestant's processes between the two moments; the broker's is not in it.
        peak_mb: most resident memory of its processes, warm-up included.
        rows, uuids: what its table holds in the end, and how many of the uuids are distinct.
    """

    contestant: str
    variant: str
    value_bytes: int
    repeat: int
    events: int
    seconds: float
    cpu_s: float
    peak_mb: float
    rows: int
    uuids: int


def measure(
    name: str,
    variant: str,
    product: Product,
    topics: tuple[Topic, Topic],
    servers: str,
    folder: Path,
    *,
    value_bytes: int,
    repeat: int,
) -> Run:
    """Let a contestant work off `topics` (warm-up, measured) and return what the second took.

    Raises:
        ContestantFailedError: its process failed; the message ends with what it printed last.
    """
    folder.mkdir(parents=True)
    cell = embedded_cell(folder, "us", servers)
    # Of one schema, which is the first: its id is the one that the records carry.
    for each in topics:
        registered = load_product(Path(each.contract))
        of = register_protobuf if registered.topic.format == "protobuf" else register_product
        of(open_registry(cell), registered)
    _make_tables(cell, product)
    warm_up, topic = topics
    form = product.topic.format
    work = Work(name, variant, topic, warm_up, product.payload_schema, fields_of(cell), form)
    work.save(folder / "work.json")
    command = [str(contestant(name).python()), "-m", "benchmarks.ingest.worker"]
    took = clocked([*command, str(folder / "work.json")], folder / "said.log")
    paths, column = contestant(name).files(work)
    with duckdb.connect() as engine:
        query = f"SELECT count(*), count(DISTINCT hash({column})) FROM read_parquet(?)"  # noqa: S608
        rows, uuids = engine.execute(query, [paths]).fetchall()[0]
    return Run(
        contestant=name,
        variant=variant,
        value_bytes=value_bytes,
        repeat=repeat,
        events=topic.events,
        seconds=round(took.seconds, 3),
        cpu_s=round(took.cpu_s, 3),
        peak_mb=round(took.peak_mb, 1),
        rows=rows,
        uuids=uuids,
    )


def _make_tables(cell: Cell, product: Product) -> None:
    columns = iceberg.payload_schema(product)
    catalog = open_catalog(cell)
    catalog.create_namespace(TABLE.partition(".")[0])
    for name in (TABLE, WARM_UP):
        table = catalog.create_table(name, columns)
        if "at" in columns.names:
            with table.update_spec() as spec:
                spec.add_field("at", HourTransform(), "at_hour")
