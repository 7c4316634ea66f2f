"""The claims of one replay: written as dead letters are tried, committed together or not at all."""

from __future__ import annotations

from collections.abc import Callable

from pyiceberg.manifest import DataFile

from pipeline.cells import Cell
from pipeline.clock import Clock
from pipeline.contract.model import Product
from pipeline.dead_letters.fixes.fix import Fix
from pipeline.dead_letters.outbox.outgoing import Outbox
from pipeline.dead_letters.outbox.rows import claimed_rows
from pipeline.dead_letters.plan import Chosen, Tally
from pipeline.dead_letters.selection import Selection
from pipeline.dead_letters.store import Action, commit_claims
from pipeline.tables.catalog import TableMissingError, load_table
from pipeline.tables.commit import write_files
from pipeline.tables.layout import events_table


class Claims:
    """The claims of one replay, written and not committed."""

    def __init__(
        self, cell: Cell, product: Product, chosen: Chosen, action: Action, clock: Clock
    ) -> None:
        self._cell, self._product, self._chosen = cell, product, chosen
        self._action, self._clock = action, clock
        # As it was when the fates were derived: whatever is committed to it meanwhile is met at the commit.
        self._table = chosen.tables.states
        self._files: list[DataFile] = []
        self.count = 0

    def write(
        self, selection: Selection, fix: Fix | None, on_progress: Callable[[int], None]
    ) -> Tally:
        """Try the chosen dead letters out, and write claims of those that pass."""
        tally = Tally(self._product)
        if self._chosen.open.is_empty():
            return tally
        if self._table is None:
            raise TableMissingError(
                "it was there, and is gone.",
                subject=f"{self._product.name} dead letters",
                remedy="Run the same command again.",
            )
        events = load_table(self._cell, events_table(self._product.name))
        topic, action_id = self._chosen.topic, self._action.action_id
        outbox = Outbox(self._cell, self._product, topic, events, fix, action_id, self._clock)
        letters = self._chosen.tables.letters
        for part in outbox.of(letters, selection, self._chosen.open, on_progress):
            tally.add(part)
            rows = claimed_rows(topic, part, action_id, self._clock())
            self._files += write_files(self._table, rows)
            self.count += rows.num_rows
        return tally

    def commit(self) -> None:
        """Commit them.

        Raises:
            ClaimLostError: somebody has changed the table since.
        """
        if self._table is not None:
            commit_claims(self._table, self._files)
