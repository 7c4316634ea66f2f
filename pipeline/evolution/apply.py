"""Carrying out what is planned for one table, in a single commit of its metadata."""

from __future__ import annotations

from collections.abc import Sequence

from pyiceberg.table import Table

from pipeline.errors import TerminalError
from pipeline.evolution.model import Action, Step
from pipeline.evolution.plan import Change
from pipeline.tables.data_files.rewrite import EVOLVE, MAINTENANCE_KEY
from pipeline.tables.layout import FORMAT_VERSION, FORMAT_VERSION_PROPERTY


class EvolutionRefusedError(TerminalError):
    """A table cannot follow its contract.

    Attributes:
        steps: every step that is refused.
    """

    def __init__(self, subject: str, steps: Sequence[Step]) -> None:
        self.steps = tuple(steps)
        listed = "".join(f"\n  {step}" for step in self.steps)
        super().__init__(
            f"its tables cannot follow the contract: {len(self.steps)} "
            f"{'change is' if len(self.steps) == 1 else 'changes are'} refused.",
            subject=subject,
            remedy=f"Correct the contract, or the table by hand; nothing was read or changed:{listed}",
        )


def apply_changes(table: Table, changes: Sequence[Change]) -> None:
    """Make the columns of `table` follow.

    Atomic: all of `changes` or none, and a snapshot of no rows that has them. They were planned for `table`
    as it is loaded here, and land only if its columns are still those. No row is rewritten, no column is
    dropped, and ids stay, so that every reader of older rows reads them as before.

    Raises:
        pyiceberg.exceptions.CommitFailedException: somebody else changed the table first; nothing landed.
    """
    with table.transaction() as transaction:
        with transaction.update_schema() as update:
            for change in changes:
                if change.step.action is Action.RENAME_COLUMN:
                    update.rename_column(change.path, change.name)
                elif change.step.action is Action.ADD_COLUMN and change.type is not None:
                    update.add_column(change.path, change.type)
                elif change.type is not None:
                    update.update_column(change.path, change.type)
                else:
                    update.make_column_optional(change.path)
        transaction.set_properties({FORMAT_VERSION_PROPERTY: str(FORMAT_VERSION)})
        if table.metadata.current_snapshot_id is not None:
            # Whoever reads as of a snapshot reads by its columns: without one of no rows, a build would not
            # see a new column before the next event.
            properties = {MAINTENANCE_KEY: EVOLVE}
            with transaction.update_snapshot(snapshot_properties=properties).fast_append():
                pass
