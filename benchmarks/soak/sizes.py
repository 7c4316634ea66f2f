"""What a product's tables take: what grows without bound where nobody maintains them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.tables.catalog import TableMissingError, load_table
from pipeline.tables.layout import (
    alerts_table,
    dead_letters_table,
    events_table,
    ledger_table,
    publications_table,
)

TABLES = (events_table, dead_letters_table, ledger_table, publications_table, alerts_table)


@dataclass(frozen=True)
class Sizes:
    """Of all tables together.

    Attributes:
        snapshots: that their metadata list.
        metadata_bytes: of their current metadata files, which every load parses.
        metadata_files: metadata files, manifests and lists of manifests, on disk.
        manifests: of events alone, in its current snapshot.
        data_files, data_bytes: data files on disk.
    """

    snapshots: int
    metadata_bytes: int
    metadata_files: int
    manifests: int
    data_files: int
    data_bytes: int


def sizes_of(cell: Cell, product: Product) -> Sizes:
    """Count what there is now. Lists the tables' folders."""
    snapshots = metadata_bytes = metadata_files = manifests = data_files = data_bytes = 0
    for identify in TABLES:
        try:
            table = load_table(cell, identify(product.name))
        except TableMissingError:
            continue
        folder = _local(table.location())
        snapshots += len(table.metadata.snapshots)
        metadata_bytes += _local(table.metadata_location).stat().st_size
        metadata_files += sum(1 for _ in (folder / "metadata").iterdir())
        if identify is events_table and (snapshot := table.current_snapshot()) is not None:
            manifests = len(snapshot.manifests(table.io))
        for path in (folder / "data").rglob("*.parquet"):
            data_files += 1
            data_bytes += path.stat().st_size
    return Sizes(snapshots, metadata_bytes, metadata_files, manifests, data_files, data_bytes)


def _local(location: str) -> Path:
    return Path(location.removeprefix("file://"))
