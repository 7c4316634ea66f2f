"""Completeness of the tables that are not of hours: what features serve, and dead letters."""

from __future__ import annotations

from pyiceberg.catalog import Catalog
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Operation

from pipeline.completeness.model import Completeness
from pipeline.table_changes.from_snapshots import changes_of
from pipeline.table_changes.kept import kept_through
from pipeline.tables.catalog import find_table
from pipeline.tables.integrity.reading import reading
from pipeline.tables.layout import dead_letters_table, table_changes_table
from pipeline.tables.snapshots import main_history, total_records


def served_completeness(table: Table) -> Completeness:
    """Return the completeness of what a feature table serves: rows that others added last are lacking.

    After a change that is not its own the engine derives all of it anew.
    """
    rows = total_records(table)
    changed = next(
        (
            one
            for one in main_history(table)
            if one.summary is None or one.summary.operation is not Operation.REPLACE
        ),
        None,
    )
    theirs = (
        ()
        if changed is None
        else tuple(
            one.added or 0
            for one in changes_of(table, (changed.sequence_number or 0) - 1)
            if one.snapshot_id == changed.snapshot_id and one.job is None
        )
    )
    return Completeness(table.name()[-1], rows, min(rows, sum(theirs)))


def letters_completeness(catalog: Catalog, product: str) -> Completeness:
    """Return the completeness of dead letters: what others added to main is lacking, but what they deleted.

    Raises:
        CatalogUnavailableError, WarehouseUnavailableError: try again later.
    """
    table = find_table(catalog, dead_letters_table(product))
    if table is None:
        return Completeness(dead_letters_table(product).partition(".")[2], 0, 0)
    kept = find_table(catalog, table_changes_table(product))
    through = kept_through(kept, table)
    on_main = {one.snapshot_id for one in main_history(table)}
    net = sum(
        (one.added or 0) - (one.deleted or 0)
        for one in changes_of(table, through)
        if one.job is None and one.snapshot_id in on_main
    )
    if kept is not None:
        name = table.name()[-1]
        with reading(kept):
            theirs = kept.scan(
                f"job is null and \"table\" == '{name}'",
                selected_fields=("snapshot_id", "added_rows", "deleted_rows"),
            ).to_arrow()
        net += sum(
            (row["added_rows"] or 0) - (row["deleted_rows"] or 0) for row in theirs.to_pylist()
        )
    rows = total_records(table)
    return Completeness(table.name()[-1], rows, min(rows, max(0, net)))
