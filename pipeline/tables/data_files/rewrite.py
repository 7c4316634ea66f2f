"""Replacing data files by others that hold the same rows, or more of them filled. Offsets never change."""

from __future__ import annotations

from collections.abc import Iterable

from pyiceberg.exceptions import CommitFailedException, ValidationException
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Operation

from pipeline.errors import RetryableError, TerminalError
from pipeline.tables.commit import raise_commit_retries
from pipeline.tables.errors import CATALOG_FAULTS
from pipeline.tables.pyiceberg_private import ReplaceFiles
from pipeline.tables.transaction import SteadyTransaction

MAINTENANCE_KEY = "headwater.maintenance"
"""Snapshot summary key of commits that add no row: what kind of upkeep they are."""
COMPACT = "compact"
FILL = "fill"
EVOLVE = "evolve"
RETENTION = "retention"


class RewriteConflictError(RetryableError):
    """Somebody else replaced the same files first; nothing was changed."""


class RowsDifferError(TerminalError):
    """The new files do not hold as many rows as the old ones; nothing was changed."""


def rewrite(
    table: Table,
    old: Iterable[DataFile],
    new: Iterable[DataFile],
    min_manifests: int | None,
    kind: str = COMPACT,
) -> int:
    """Replace files of `table` in one snapshot; return its id.

    Its operation is `replace`; of kind FILL, whose rows have other values, `overwrite`.

    Manifests are merged where there are `min_manifests` small ones or more, None: not at all. A commit that
    others won is tried again on top of theirs: this one carries no offsets, so that nothing is lost by it.
    Appends beside it may have to be tried again too.

    Raises:
        RowsDifferError: `new` does not hold as many rows as `old`.
        RewriteConflictError: an old file is gone, or others won too often.
    """
    subject = ".".join(table.name())
    old, new = tuple(old), tuple(new)
    before, after = (sum(f.record_count for f in files) for files in (old, new))
    if before != after:
        raise RowsDifferError(
            f"{len(old)} files of {before} rows would become files of {after} rows.",
            subject=subject,
            remedy="Report it: this must not add or lose rows.",
        )
    raise_commit_retries(table)
    try:
        transaction = SteadyTransaction(table)
        with ReplaceFiles(
            transaction,
            table.io,
            {MAINTENANCE_KEY: kind},
            min_manifests,
            Operation.REPLACE if kind == COMPACT else Operation.OVERWRITE,
        ) as replace:
            for file in old:
                replace.delete_data_file(file)
            for file in new:
                replace.append_data_file(file)
            snapshot_id = replace.snapshot_id
        transaction.commit_transaction()
    except (CommitFailedException, ValidationException, *CATALOG_FAULTS) as error:
        raise RewriteConflictError(
            f"its files could not be replaced ({error}).",
            subject=subject,
            remedy="Maintain it again: the next plan sees what is there now.",
        ) from error
    return snapshot_id
