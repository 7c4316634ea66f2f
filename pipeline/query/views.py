"""The views that a statement reads: tables as they are, and the history of all of them."""

from __future__ import annotations

from collections.abc import Iterable

import duckdb
import pyarrow as pa
from pyiceberg.table import Table

from pipeline.query.relation import scanned_files
from pipeline.query.types import identifier, text
from pipeline.table_changes.kept import Changes

TABLE_CHANGES = "table_changes"
TABLE_HISTORY = "table_history"
HISTORY_COLUMNS = (
    "table",
    "snapshot_id",
    "parent_id",
    "sequence_number",
    "committed_at",
    "operation",
    "job",
    "run_id",
    "contract_version",
    "code_version",
    "reference_versions",
    "wap_id",
    "added_rows",
    "deleted_rows",
    "total_rows",
)
"""Of `table_changes`, those that are alike in all rows of one snapshot."""


def create_table_view(connection: duckdb.DuckDBPyConnection, product: str, table: Table) -> None:
    """Make the view `<product>.<table>`: main's current snapshot."""
    name = table.name()[-1]
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {identifier(product)}")
    connection.execute(
        f"CREATE VIEW {identifier(product)}.{identifier(name)} AS {_select(connection, product, table)}"
    )


def create_history_views(
    connection: duckdb.DuckDBPyConnection, product: str, changes: Changes
) -> None:
    """Make the views `<product>.table_changes` and `<product>.table_history`."""
    schema = identifier(product)
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    fresh = f"{product}.fresh_changes"
    connection.register(fresh, changes.fresh)
    parts = [f"SELECT * FROM {identifier(fresh)}"]
    if changes.kept is not None:
        parts.append(f"({_select(connection, product, changes.kept)})")
    connection.execute(
        f"CREATE VIEW {schema}.{TABLE_CHANGES} AS SELECT {text(product)} AS product, * "
        f"FROM ({' UNION ALL BY NAME '.join(parts)})"
    )
    columns = ", ".join(map(identifier, HISTORY_COLUMNS))
    ancestors = f"{product}.ancestors"
    connection.register(ancestors, _ancestors(connection, schema, changes))
    connection.execute(
        f"CREATE VIEW {schema}.{TABLE_HISTORY} AS "
        f"SELECT h.*, a.snapshot_id IS NOT NULL AS is_current_ancestor "
        f"FROM (SELECT DISTINCT product, {columns} FROM {schema}.{TABLE_CHANGES}) h "
        f'LEFT JOIN {identifier(ancestors)} a ON a."table" = h."table" '
        "AND a.snapshot_id = h.snapshot_id"
    )


def create_cell_view(
    connection: duckdb.DuckDBPyConnection, name: str, products: Iterable[str]
) -> None:
    """Make the view `name` of that of every product together."""
    parts = [f"SELECT * FROM {identifier(product)}.{identifier(name)}" for product in products]
    connection.execute(f"CREATE VIEW {identifier(name)} AS {' UNION ALL BY NAME '.join(parts)}")


def _select(connection: duckdb.DuckDBPyConnection, product: str, table: Table) -> str:
    found = scanned_files(table)
    if found is not None:
        return found.sql
    name = f"{product}.{table.name()[-1]}.rows"
    connection.register(name, table.scan().to_arrow())
    return f"SELECT * FROM {identifier(name)}"


def _ancestors(connection: duckdb.DuckDBPyConnection, schema: str, changes: Changes) -> pa.Table:
    """Return the snapshots that main of each table descends from, its current one too."""
    rows = connection.execute(
        f'SELECT DISTINCT "table", snapshot_id, parent_id, operation FROM {schema}.{TABLE_CHANGES}'
    ).fetchall()
    parents = {(table, snapshot): parent for table, snapshot, parent, _ in rows}
    # Of what was taken from the ledger no parent is known; it had main's entries alone.
    found = [(table, snapshot) for table, snapshot, _, operation in rows if operation is None]
    for table, current in changes.current.items():
        at: int | None = current
        while at is not None and (table, at) in parents:
            found.append((table, at))
            at = parents[table, at]
    return pa.table(
        {
            "table": pa.array([table for table, _ in found], pa.string()),
            "snapshot_id": pa.array([snapshot for _, snapshot in found], pa.int64()),
        }
    )
