"""The only commits to events and dead letters: rows, offsets and ledger entries in one transaction.

What makes the protocol exactly once: the append and the offsets property land together or not at
all, and the commit is refused if main has moved since the table was loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.manifest import DataFile
from pyiceberg.schema import Schema
from pyiceberg.table import Table, TableProperties
from pyiceberg.types import BinaryType, StringType

from pipeline.clock import utc_now
from pipeline.errors import RetryableError
from pipeline.kafka.identity import TopicIdentity
from pipeline.tables.errors import named_errors
from pipeline.tables.offsets import PROPERTY, CommittedOffsets
from pipeline.tables.pyiceberg_private import write_data_files
from pipeline.tables.transaction import SteadyTransaction

RUN_ID_KEY = "headwater.run-id"
CONTRACT_VERSION_KEY = "headwater.contract-version"
CODE_VERSION_KEY = "headwater.code-version"
REFERENCE_VERSIONS_KEY = "headwater.reference-versions"
LOSS_REASON_KEY = "headwater.loss-reason"


class CommitConflictError(RetryableError):
    """Another commit came first; this one did not land. The files written for it are still good."""


class CommitUnknownError(RetryableError):
    """The commit may or may not have landed; only the table's property tells."""


@dataclass(frozen=True)
class OffsetCommit:
    """What one commit says beside its rows.

    Attributes:
        identity: the topic the offsets are of.
        first, next: partition -> offset, whole: every partition of the table, not only those moved.
        summary: keys of the snapshot's summary: the ledger's entries of the ranges that this commit adds,
            and its provenance (run id, contract, code and reference versions).
    """

    identity: TopicIdentity
    first: Mapping[int, int]
    next: Mapping[int, int]
    summary: Mapping[str, str]


def disable_commit_retries(table: Table) -> None:
    """Make a lost commit of `table` fail instead of being rebased over the winner's.

    Set in memory only: kept in the table, it would starve maintenance, which may rebase freely.
    """
    _set_in_memory(table, {TableProperties.COMMIT_NUM_RETRIES: "0"})


def raise_commit_retries(table: Table) -> None:
    """Make a lost commit of `table` be rebased and tried again 20 times, at most 2 s apart.

    For what takes longer to rebase than others take between two commits of theirs, as a replacement of files
    does beside a busy ingest over an object store: PyIceberg's four may all be lost. Set in memory only.
    """
    _set_in_memory(
        table,
        {
            TableProperties.COMMIT_NUM_RETRIES: "20",
            TableProperties.COMMIT_MAX_RETRY_WAIT_MS: "2000",
        },
    )


def _set_in_memory(table: Table, properties: Mapping[str, str]) -> None:
    own = {**table.metadata.properties, **properties}
    table.metadata = table.metadata.model_copy(update={"properties": own})


def write_files(table: Table, rows: pa.Table) -> tuple[DataFile, ...]:
    """Write `rows` as data files of `table`, which no reader sees until they are committed.

    `rows` has the table's column names and types. Texts and bytes have no bounds: nobody can skip files by
    them. Files left behind by a crash are orphans.

    Raises:
        DiskFullError, WarehouseUnavailableError: the warehouse cannot be written.
    """
    if rows.num_rows == 0:
        return ()
    metadata = table.metadata
    unbounded = {**metadata.properties, **_without_bounds(table.schema())}
    metadata = metadata.model_copy(update={"properties": unbounded})
    with named_errors(".".join(table.name()), table.location()):
        return tuple(write_data_files(metadata, rows, table.io))


def _without_bounds(schema: Schema) -> Mapping[str, str]:
    """Return properties by which texts and bytes get no bounds.

    PyIceberg cannot make a bound of a text whose sixteenth character is the last before the surrogates, and
    that may stand in any header.
    """
    return {
        f"write.metadata.metrics.column.{name}": "counts"
        for name in schema.column_names
        if isinstance(schema.find_type(name), StringType | BinaryType)
    }


def commit(table: Table, files: tuple[DataFile, ...], entry: OffsetCommit) -> CommittedOffsets:
    """Append `files` and move the offsets, atomically; returns the offsets as committed.

    A commit of no files still makes a snapshot: the fence is main's snapshot id, which a change of
    properties alone would neither carry nor trip.

    Raises:
        CommitConflictError: main moved since `table` was loaded; nothing landed.
        CommitUnknownError: the catalog failed in a way that leaves the outcome open.
    """
    subject = ".".join(table.name())
    disable_commit_retries(table)
    try:
        transaction = SteadyTransaction(table)
        snapshot_id = transaction.append_files(files, entry.summary)
        offsets = CommittedOffsets(
            cluster_id=entry.identity.cluster_id,
            topic=entry.identity.topic,
            topic_id=entry.identity.topic_id,
            first=entry.first,
            next=entry.next,
            snapshot_id=snapshot_id,
            committed_at=utc_now(),
        )
        transaction.set_properties({PROPERTY: offsets.to_json()})
        transaction.commit_transaction()
    except CommitFailedException as error:
        raise CommitConflictError(
            f"another commit came first ({error}).",
            subject=subject,
            remedy="Reload the table and compare its offsets.",
        ) from error
    except Exception as error:
        # The catalog is somebody else's code: whatever it raised, the commit may have landed.
        raise CommitUnknownError(
            f"the commit's outcome is unknown ({type(error).__name__}: {error}).",
            subject=subject,
            remedy="Reload the table and plan again from its offsets; nothing is lost or doubled.",
        ) from error
    return offsets
