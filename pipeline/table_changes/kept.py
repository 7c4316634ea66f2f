"""The table of changes as its readers find it: changes that are kept, and those that snapshots still tell."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa
from pyiceberg.catalog import Catalog
from pyiceberg.table import Table

from pipeline.table_changes.from_snapshots import changes_of
from pipeline.table_changes.model import Change
from pipeline.tables import layout
from pipeline.tables.catalog import find_table

KEPT_PROPERTY = "headwater.changes-kept"
"""Table property of the table of changes, followed by a dot and the name of one of the product's tables."""

_OWN = frozenset(
    identify("").removeprefix(".")
    for identify in (
        layout.dead_letter_states_table,
        layout.dead_letter_actions_table,
        layout.ledger_table,
        layout.publications_table,
        layout.alerts_table,
        layout.table_changes_table,
    )
)


@dataclass(frozen=True)
class Kept:
    """How far the changes of one table are kept.

    Attributes:
        uuid: of the table; one of the same name that was made anew has another.
        through: the last sequence number.
    """

    uuid: str
    through: int


def tells_changes(name: str) -> bool:
    """Tell whether the changes of a table of that name are kept: not those of Headwater's own notes."""
    return name not in _OWN


def kept_through(changes: Table | None, table: Table) -> int:
    """Return the last sequence number of `table` whose changes are kept in `changes`; 0 for none."""
    if changes is None:
        return 0
    text = changes.properties.get(kept_property(table.name()[-1]))
    if text is None:
        return 0
    kept = Kept(**json.loads(text))
    return kept.through if kept.uuid == str(table.metadata.table_uuid) else 0


def kept_property(name: str) -> str:
    """Return the property that says how far the changes of the table `name` are kept."""
    return f"{KEPT_PROPERTY}.{name}"


@dataclass(frozen=True)
class Changes:
    """All changes of a product's tables, each in one of two places and in one alone.

    Attributes:
        kept: the table of changes; None where there is none yet.
        fresh: rows that it lacks.
        current: main's current snapshot of each table that has one, by name.
    """

    kept: Table | None
    fresh: pa.Table
    current: Mapping[str, int]


def read_changes(catalog: Catalog, product: str) -> Changes:
    """Return the changes of a product's tables. Opens no file but the tables' metadata.

    Raises:
        CatalogUnavailableError, WarehouseUnavailableError: try again later.
    """
    names = sorted(name for _, name in catalog.list_tables(product) if tells_changes(name))
    # Loaded first: what is kept after that, the table of changes has too, and is told twice to nobody.
    loaded = [find_table(catalog, f"{product}.{name}") for name in names]
    tables = [one for one in loaded if one is not None]
    kept = find_table(catalog, layout.table_changes_table(product))
    current = {one.name()[-1]: one.metadata.current_snapshot_id for one in tables}
    return Changes(
        kept,
        as_rows(_fresh(kept, tables)),
        {name: snapshot for name, snapshot in current.items() if snapshot is not None},
    )


def as_rows(changes: Iterable[Change]) -> pa.Table:
    """Return changes as rows of the table of changes."""
    rows = [row for change in changes for row in change.rows()]
    return pa.Table.from_pylist(rows, schema=layout.TABLE_CHANGES_SCHEMA)


def _fresh(changes: Table | None, tables: Iterable[Table]) -> Iterator[Change]:
    for table in tables:
        yield from changes_of(table, kept_through(changes, table))
