"""The publications table: which hour of which aggregate was published, from what, and how."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from datetime import datetime

import pyarrow as pa
from pyiceberg.exceptions import CommitFailedException, NoSuchTableError
from pyiceberg.table import Table

from pipeline.batch.model import Publication
from pipeline.cells import Cell
from pipeline.errors import RetryableError
from pipeline.maintenance.tidy import tidy
from pipeline.tables.catalog import open_catalog
from pipeline.tables.commit import refuse_hidden_retries
from pipeline.tables.create import ensure_table
from pipeline.tables.layout import PUBLICATION_SCHEMA, publications_table

ATTEMPTS = 20


class PublicationsBusyError(RetryableError):
    """Other writers came first every time."""


def read_publications(
    cell: Cell, product: str, hour: datetime | None = None
) -> tuple[Publication, ...]:
    """Return the publications of the product in the cell, oldest first; those of `hour` if given."""
    try:
        table = open_catalog(cell).load_table(publications_table(product))
    except NoSuchTableError:
        return ()
    scan = table.scan() if hour is None else table.scan(f"hour == '{hour.isoformat()}'")
    rows = scan.to_arrow().sort_by("published_at").to_pylist()
    names = [field.name for field in fields(Publication)]
    # Tables of an older format lack the columns that came later.
    return tuple(Publication(**{name: row.get(name) for name in names}) for row in rows)


Standing = Mapping[tuple[str, datetime], Publication]
"""(table, hour) -> its last publication."""


def latest(publications: Iterable[Publication]) -> dict[tuple[str, datetime], Publication]:
    """Return the last publication of each (table, hour)."""
    ordered = sorted(publications, key=lambda publication: publication.published_at)
    return {(publication.table, publication.hour): publication for publication in ordered}


def record(cell: Cell, product: str, publication: Publication) -> bool:
    """Add `publication` unless one with its `wap_id` is there; tell whether it was added.

    Idempotent, and safe when several processes record the same one at once.

    Raises:
        PublicationsBusyError: it could not be added beside other writers; it is not there.
    """
    for _ in range(ATTEMPTS):
        table = _ensure(cell, product)
        # A rebased append would land beside the same row of another process.
        refuse_hidden_retries(table)
        known = table.scan(f"wap_id == '{publication.wap_id}'", selected_fields=("wap_id",))
        if known.to_arrow().num_rows:
            return False
        try:
            table.append(pa.Table.from_pylist([asdict(publication)], schema=PUBLICATION_SCHEMA))
        except CommitFailedException:
            continue
        tidy(table)
        return True
    raise PublicationsBusyError(
        f"other writers came first {ATTEMPTS} times.",
        subject=f"{cell.name}.{publications_table(product)}",
        remedy="Run the same command again.",
    )


def _ensure(cell: Cell, product: str) -> Table:
    return ensure_table(open_catalog(cell), publications_table(product), PUBLICATION_SCHEMA)
