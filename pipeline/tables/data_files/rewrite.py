"""Replacing data files by others that hold the same rows, or more of them filled. Offsets never change."""

from __future__ import annotations

from collections.abc import Iterable

from pyiceberg.exceptions import CommitFailedException, ValidationException
from pyiceberg.manifest import DataFile, ManifestFile
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Operation, Summary
from pyiceberg.table.update.snapshot import _ManifestMergeManager, _OverwriteFiles
from sqlalchemy.exc import SQLAlchemyError

from pipeline.errors import RetryableError, TerminalError
from pipeline.tables.transaction import SteadyTransaction

MAINTENANCE_KEY = "headwater.maintenance"
"""Snapshot summary key of commits that add no row: what kind of upkeep they are."""
COMPACT = "compact"
FILL = "fill"
EVOLVE = "evolve"
_MANIFEST_BYTES = 8 * 2**20


class RewriteConflictError(RetryableError):
    """Somebody else replaced the same files first; nothing was changed."""


class RowsDifferError(TerminalError):
    """The new files do not hold as many rows as the old ones; nothing was changed."""


class _RewriteFiles(_OverwriteFiles):
    """A `replace`: other files, the same rows. Merges manifests where there are many."""

    min_manifests = 50
    told_as = Operation.REPLACE

    def _validate_concurrency(self) -> None:
        # Rows that others append do not matter; that the old files are still there is checked when
        # their entries are looked up, at every attempt.
        pass

    def _process_manifests(self, manifests: list[ManifestFile]) -> list[ManifestFile]:
        merge = _ManifestMergeManager(
            target_size_bytes=_MANIFEST_BYTES,
            min_count_to_merge=2,
            merge_enabled=len(manifests) >= self.min_manifests,
            snapshot_producer=self,
        )
        return merge.merge_manifests(manifests)

    def _summary(self, snapshot_properties: dict[str, str] | None = None) -> Summary:
        # The library sums up appends, overwrites and deletes only.
        summed = super()._summary(snapshot_properties or {})
        return Summary(operation=self.told_as, **summed.additional_properties)


def rewrite(
    table: Table,
    old: Iterable[DataFile],
    new: Iterable[DataFile],
    min_manifests: int,
    kind: str = COMPACT,
) -> int:
    """Replace files of `table` in one snapshot; return its id.

    Its operation is `replace`; of kind FILL, whose rows have other values, `overwrite`.

    Manifests are merged if there are `min_manifests` or more. A commit that others won is tried again
    on top of theirs: this one carries no offsets, so that nothing is lost by it. Appends beside it may
    have to be tried again too.

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
    try:
        transaction = SteadyTransaction(table)
        replace = _RewriteFiles(
            operation=Operation.OVERWRITE,
            transaction=transaction,
            io=table.io,
            snapshot_properties={MAINTENANCE_KEY: kind},
        )
        replace.min_manifests = min_manifests
        replace.told_as = Operation.REPLACE if kind == COMPACT else Operation.OVERWRITE
        with replace:
            for file in old:
                replace.delete_data_file(file)
            for file in new:
                replace.append_data_file(file)
            snapshot_id = replace.snapshot_id
        transaction.commit_transaction()
    except (CommitFailedException, ValidationException, SQLAlchemyError) as error:
        raise RewriteConflictError(
            f"its files could not be replaced ({error}).",
            subject=subject,
            remedy="Maintain it again: the next plan sees what is there now.",
        ) from error
    return snapshot_id
