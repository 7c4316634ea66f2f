"""The tables of a product that are maintained, each by the policy that fits how it is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from pyiceberg.table import Table

from pipeline.cells import Cell
from pipeline.contract.model import Product, published_table
from pipeline.ledger.retention import retention_account
from pipeline.maintenance.expire import plan_expiry
from pipeline.maintenance.lineage import outdated_tags
from pipeline.maintenance.need import TableFacts
from pipeline.maintenance.plan import MaintenancePolicy
from pipeline.maintenance.state import read_state
from pipeline.tables.catalog import TableMissingError, load_table
from pipeline.tables.data_files.hourly import oldest_hour
from pipeline.tables.layout import (
    alerts_table,
    dead_letter_actions_table,
    dead_letter_states_table,
    dead_letters_table,
    events_table,
    ledger_table,
    product_table,
    publications_table,
    table_changes_table,
)
from pipeline.tables.warehouse import version_of

FEW_FILES = 64
"""Tables other than events are read whole, and often: so many more files are due to become fewer."""
_TOTAL_FILES = "total-data-files"
_TOTAL_BYTES = "total-files-size"


def maintained_tables(product: Product) -> tuple[str, ...]:
    """Return the identifiers of the product's tables: Headwater's own, then the derived ones' in order.

    A feature table is two: its history, and what readers are served.
    """
    own = (
        events_table,
        dead_letters_table,
        dead_letter_states_table,
        dead_letter_actions_table,
        ledger_table,
        table_changes_table,
        publications_table,
        alerts_table,
    )
    derived = dict.fromkeys(
        name
        for one in product.derived_tables
        for name in (published_table(product, one), product_table(product.name, one.name))
    )
    return (*(identify(product.name) for identify in own), *derived)


def load_tables(cell: Cell, product: Product) -> Iterator[tuple[str, Table]]:
    """Yield those of the product's tables that there are."""
    for name in maintained_tables(product):
        try:
            yield name, load_table(cell, name)
        except TableMissingError:
            continue


def policy_for(product: Product, table: str, policy: MaintenancePolicy) -> MaintenancePolicy:
    """Return the policy of one table.

    Events may have more files than those that are read whole, and are kept for as long as the contract says.
    """
    if table == events_table(product.name):
        return replace(policy, keep_rows=product.topic.retention.events)
    return replace(policy, due_files=min(policy.due_files, FEW_FILES))


def facts_of(
    cell: Cell,
    name: str,
    table: Table,
    now: datetime,
    policy: MaintenancePolicy,
    archived_through: int | None = None,
) -> TableFacts:
    """Return what is known of a table from its metadata and from what maintenance last left.

    Where rows are deleted by their age, its list of manifests is read, too.
    """
    state = read_state(cell, name)
    ages = policy.keep_rows is not None
    return TableFacts(
        table=name,
        snapshots=len(table.metadata.snapshots),
        expirable=len(plan_expiry(table, now, policy, archived_through)),
        files=data_files(table)[0],
        commits=_commits(table),
        files_left=state.files_left,
        swept_at=state.swept_at,
        outdated_tags=len(outdated_tags(table, now)),
        oldest_hour=oldest_hour(table) if ages else None,
        retention_at=retention_account(table).at,
    )


def data_files(table: Table) -> tuple[int, int]:
    """Return how many data files main has, and their bytes, as its snapshot's summary says."""
    snapshot = table.current_snapshot()
    if snapshot is None or snapshot.summary is None:
        return 0, 0
    said = snapshot.summary.additional_properties
    return int(said.get(_TOTAL_FILES, 0)), int(said.get(_TOTAL_BYTES, 0))


def _commits(table: Table) -> int:
    """Return how many versions of its metadata came before."""
    return version_of(table.metadata_location) or 0
