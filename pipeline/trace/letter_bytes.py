"""Dead letters whose bytes may be an event's. Loads none of what reads and decodes dead letters."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
from pyiceberg.table import Table

from pipeline.contract.model import Product
from pipeline.dead_letters.states import KEYS
from pipeline.tables.data_files.live import LiveFile
from pipeline.tables.integrity.reading import reading
from pipeline.trace.model import Place
from pipeline.trace.needles import Needles, as_uuid
from pipeline.trace.parquet import parquet_files

OF_A_NAME = 5
"""The version of uuids that are made of coordinates."""
_BYTES = ("record_value", "record_key")


def letters_holding(
    letters: Table, files: Iterable[LiveFile], needles: Needles
) -> frozenset[Place]:
    """Return the dead letters whose value or key holds one of the needles; `files` are all of the table's.

    Raises:
        FileMissingError, FileDamagedError: with the file.
        CatalogUnavailableError, WarehouseUnavailableError: try again later.
    """
    found: set[Place] = set()
    with reading(letters), parquet_files(letters) as opened:
        paths = [file.path for file in files]
        for batch in opened.batches(paths, (*KEYS, *_BYTES)):
            rows = {row for name in _BYTES for row in needles.rows(batch.column(name))}
            places = pa.array(sorted(rows), pa.int64())
            held = batch.select(list(KEYS)).take(places).to_pylist()
            found |= {Place(*(one[name] for name in KEYS)) for one in held}
    return frozenset(found)


def may_be_of_coordinates(product: Product, uuid: str) -> bool:
    """Whether the uuid may be one that was made of where a record of the product stood."""
    asked = as_uuid(uuid)
    return not product.topic.envelope and asked is not None and asked.version == OF_A_NAME
