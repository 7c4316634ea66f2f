"""What an ingest does for its own tables between two batches, so that its commits stay quick."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pipeline.cells import Cell
from pipeline.clock import Clock, utc_now
from pipeline.contract.model import Product
from pipeline.errors import HeadwaterError
from pipeline.maintenance.expire import expire_commits
from pipeline.maintenance.lineage import lineage_of
from pipeline.maintenance.plan import DEFAULT_POLICY, MaintenancePolicy
from pipeline.maintenance.snapshots import passing_commits
from pipeline.table_changes.before_expiry import kept_elsewhere
from pipeline.tables.catalog import TableMissingError, load_table
from pipeline.tables.errors import named_errors
from pipeline.tables.layout import dead_letters_table, events_table

EVERY = timedelta(seconds=30)
LEAST = 15
"""So many commits are let go at once, or none."""
PATIENCE_S = 2.0
"""How long other writers may come first: an ingest has better to do."""


@dataclass
class Trimmer:
    """Lets go of commits of an ingest whose rows are in what follows them."""

    cell: Cell
    product: Product
    clock: Clock = utc_now
    policy: MaintenancePolicy = DEFAULT_POLICY
    _looked_at: datetime = field(init=False)

    def __post_init__(self) -> None:
        self._looked_at = self.clock()

    def between_batches(self) -> int:
        """Trim, at most every `EVERY`; return how many snapshots went.

        It is upkeep and no more: where it fails, ingest goes on, and the next time tries again.
        """
        now = self.clock()
        if now - self._looked_at < EVERY:
            return 0
        self._looked_at = now
        try:
            return self.trim()
        except HeadwaterError:
            return 0

    def trim(self) -> int:
        """Expire passing commits of events and dead letters, if there are `LEAST`; return how many.

        Ledger entries and changes are archived first. Opens no manifest, and deletes no file but the lists of
        manifests of what goes. May run beside anything, and be ended at any moment.

        Raises:
            TableBusyError, CatalogUnavailableError, WarehouseUnavailableError: try again later.
        """
        product = self.product.name
        with named_errors(f"{product}/{self.cell.name}"):
            return sum(map(self._trim, (events_table(product), dead_letters_table(product))))

    def _trim(self, name: str) -> int:
        try:
            table = load_table(self.cell, name)
        except TableMissingError:
            return 0
        lineage = lineage_of(table, self.clock())
        if lineage is None or len(passing_commits(lineage, self.clock(), self.policy)) < LEAST:
            return 0
        archived = kept_elsewhere(self.cell, self.product, name)
        lineage = lineage_of(table, self.clock(), archived)
        if lineage is None:
            return 0
        going = passing_commits(lineage, self.clock(), self.policy)
        return expire_commits(table, going, PATIENCE_S)
