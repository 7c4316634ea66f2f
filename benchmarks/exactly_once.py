"""Whether a table holds every record of its topic once, counted over its data files by DuckDB."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from urllib.parse import unquote, urlparse

import duckdb
from pyiceberg.manifest import DataFile

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.tables.catalog import load_table


@dataclass(frozen=True)
class Held:
    """What the tables of a product hold.

    Attributes:
        sent: records that were produced, each with a uuid of its own.
        coordinates: distinct pairs of partition and offset among the rows.
        uuids: distinct uuids among the rows, told apart by a 64-bit hash.
    """

    sent: int
    rows: int
    coordinates: int
    uuids: int
    dead_letters: int

    @property
    def exact(self) -> bool:
        """Whether each record is one row."""
        return self.sent == self.rows == self.coordinates == self.uuids and not self.dead_letters

    def document(self) -> dict[str, int | bool]:
        """Return it for a result."""
        return {**asdict(self), "exact": self.exact}


def data_files(cell: Cell, identifier: str) -> list[str]:
    """Return the paths of the table's data files, as of now.

    Raises:
        TableMissingError: there is no such table.
    """
    tasks = load_table(cell, identifier).scan().plan_files()
    return sorted(local_path(task.file) for task in tasks)


def local_path(file: DataFile) -> str:
    """Return where a data file of an embedded warehouse lies."""
    return unquote(urlparse(file.file_path).path)


def held(cell: Cell, product: Product, sent: int) -> Held:
    """Count.

    Raises:
        TableMissingError: nothing was ever ingested.
    """
    return Held(
        sent,
        *_count(
            data_files(cell, f"{product.name}.events"),
            "count(*), count(DISTINCT (_topic_partition::HUGEINT << 64) + _offset), "
            "count(DISTINCT hash(_uuid))",
        ),
        *_count(data_files(cell, f"{product.name}.dead_letters"), "count(*)"),
    )


def _count(files: list[str], columns: str) -> tuple[int, ...]:
    if not files:
        return (0,) * (columns.count("count("))
    with duckdb.connect() as engine:
        query = f"SELECT {columns} FROM read_parquet(?)"  # noqa: S608 - our own columns
        found = engine.execute(query, [files]).fetchone()
    return tuple(int(number) for number in found or ())
