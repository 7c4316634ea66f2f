"""Keeping the snapshot of events that hours are built from, for as long as that takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.errors import RetryableError
from pipeline.tables.catalog import load_table
from pipeline.tables.commit_retry import retry_commit
from pipeline.tables.errors import named_errors
from pipeline.tables.layout import BUILD_TAG, events_table

LONGEST_BUILD = timedelta(days=2)
"""A build that was killed leaves its tag; maintenance drops it once the snapshot is so old."""


@contextmanager
def pinned(cell: Cell, product: Product, snapshot_id: int, run_id: str) -> Iterator[None]:
    """Tag a snapshot of events for the length of the block, so that expiry leaves it.

    A snapshot that is gone already is left to whoever reads it to name.

    Raises:
        TableBusyError, CatalogUnavailableError, WarehouseUnavailableError: it was not tagged.
    """
    tag, subject = f"{BUILD_TAG}-{run_id}", f"{cell.name}.{events_table(product.name)}"

    def hold() -> None:
        table = load_table(cell, events_table(product.name))
        if table.metadata.snapshot_by_id(snapshot_id) is not None:
            with table.manage_snapshots() as manage:
                manage.create_tag(snapshot_id, tag, LONGEST_BUILD // timedelta(milliseconds=1))

    def let_go() -> None:
        table = load_table(cell, events_table(product.name))
        if tag in table.metadata.refs:
            with table.manage_snapshots() as manage:
                manage.remove_tag(tag)

    with named_errors(subject):
        retry_commit(hold, subject)
    try:
        yield
    finally:
        # What is built is built: a tag that stays is dropped in the end by maintenance.
        with suppress(RetryableError), named_errors(subject):
            retry_commit(let_go, subject)
