"""What lies in a warehouse of a table, and what is to be done about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True)
class FoundMetadata:
    """A metadata file that lies in a table's folder.

    Attributes:
        location: its URI.
        version: as its name says: one more than that of the file it was made from.
        problem: why it cannot be used; None if it can. The rest is of no meaning where it cannot be read.
        table_uuid: which table it is of; one that is dropped and made again has another.
        table_location: where it says that the table lies.
        base: the metadata file that it was made from, which was the catalog's then.
        sequence_number: the last commit's, as Iceberg counts them.
        updated_ms: when it was made, milliseconds since 1970.
        offsets: how many offsets it holds as ingested; 0 in tables that hold none.
        archived_through: of a ledger table, the last sequence number of events that it holds entries of.
    """

    location: str
    version: int
    problem: str | None = None
    table_uuid: str = ""
    table_location: str = ""
    base: str | None = None
    sequence_number: int = 0
    updated_ms: int = 0
    offsets: int = 0
    archived_through: int = 0


@dataclass(frozen=True)
class FoundTable:
    """A table's folder in a warehouse.

    Attributes:
        location: the folder's URI.
        registered: the metadata file that the catalog names for it; None where it knows no such table.
    """

    identifier: str
    location: str
    registered: str | None
    files: tuple[FoundMetadata, ...]


class RecoveryAction(StrEnum):
    """What is to be done about a table."""

    REGISTER = "register"
    KEEP = "keep"
    """The catalog knows it: its entry is never changed."""
    REFUSE = "refuse"
    """Somebody must decide: nothing is done."""


@dataclass(frozen=True)
class RecoveryStep:
    """What is to be done about one table.

    Attributes:
        metadata: the metadata file to register, or the one that is registered; None of a refusal.
        version: that file's.
        reason: why so, for people.
    """

    table: str
    action: RecoveryAction
    metadata: str | None
    version: int | None
    reason: str
