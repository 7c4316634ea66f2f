"""What retention has deleted of events: one table property, written in the commit that deletes the rows."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

from pyiceberg.table import Table

from pipeline.tables.versioned_property import parse_property

RETENTION_PROPERTY = "headwater.retention"
"""Table property of events: all that retention ever deleted. Snapshot summary key: what one commit did."""
FORMAT_VERSION = 1


@dataclass(frozen=True)
class DeletedRows:
    """How many rows of one partition were deleted; their offsets lie in [start, end)."""

    partition: int
    rows: int
    start: int
    end: int

    def __add__(self, other: DeletedRows) -> DeletedRows:
        """Return both together; they are of one partition."""
        return DeletedRows(
            self.partition,
            self.rows + other.rows,
            min(self.start, other.start),
            max(self.end, other.end),
        )


@dataclass(frozen=True)
class RetentionAccount:
    """What retention has deleted, ever or in one commit.

    Attributes:
        before: rows of hours before it were deleted; what a table has of such an hour came later, and is
            not the whole hour. None where nothing was ever deleted.
        at: when the last of it was deleted.
        deleted: one of each partition, ascending.
    """

    before: datetime | None = None
    at: datetime | None = None
    deleted: tuple[DeletedRows, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows were deleted."""
        return sum(one.rows for one in self.deleted)

    def rows_of(self, partition: int) -> int:
        """Return how many rows of a partition were deleted."""
        return sum(one.rows for one in self.deleted if one.partition == partition)

    def extended(
        self, before: datetime, at: datetime, deleted: Iterable[DeletedRows]
    ) -> RetentionAccount:
        """Return the account after a commit that deletes rows of hours before `before`."""
        known = {one.partition: one for one in self.deleted}
        for one in deleted:
            mine = known.get(one.partition)
            known[one.partition] = one if mine is None else mine + one
        latest = before if self.before is None else max(before, self.before)
        return RetentionAccount(latest, at, tuple(known[number] for number in sorted(known)))

    def to_json(self) -> str:
        """Return the property's text."""
        document = {
            "format": FORMAT_VERSION,
            "before": None if self.before is None else self.before.isoformat(),
            "at": None if self.at is None else self.at.isoformat(),
            "partitions": [asdict(one) for one in self.deleted],
        }
        return json.dumps(document, separators=(",", ":"))

    @staticmethod
    def from_json(text: str) -> RetentionAccount:
        """Parse the property's text.

        Raises:
            PropertyNewerError: the text is of a newer format.
        """
        document = parse_property(RETENTION_PROPERTY, text, FORMAT_VERSION)
        before, at = (
            None if document[key] is None else datetime.fromisoformat(document[key])
            for key in ("before", "at")
        )
        return RetentionAccount(
            before, at, tuple(DeletedRows(**one) for one in document["partitions"])
        )


def retention_account(table: Table) -> RetentionAccount:
    """Return what retention has ever deleted of events, as `table` says it."""
    text = table.properties.get(RETENTION_PROPERTY)
    return RetentionAccount() if text is None else RetentionAccount.from_json(text)
