"""What a table lacks to hold what its contract says, step by step."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """Whether a step may be carried out, and by whom."""

    SAFE = "safe"
    """Changes metadata alone and loses nothing: an ingest or a build takes it by itself."""
    REWRITE = "needs a rewrite"
    """Writes data files anew: `headwater contract apply` takes it when asked to."""
    REFUSED = "refused"
    """Would change or lose what readers have: the contract or the table must be changed by hand."""


class Action(StrEnum):
    """What a step does."""

    CREATE_TABLE = "create table"
    ADD_COLUMN = "add column"
    WIDEN_COLUMN = "widen column"
    RENAME_COLUMN = "rename column"
    KEEP_COLUMN = "keep column"
    """The contract has dropped it: it stays, null in new rows."""
    CHANGE_TYPE = "change type"
    CHANGE_PARTITIONS = "change partitions"
    FILL_ROWS = "fill rows"


@dataclass(frozen=True)
class Step:
    """One difference between a contract and a table, and what is to be done about it.

    Attributes:
        table: `namespace.table`.
        column: its path, dots between nested names as Iceberg has them; empty for the whole table.
        detail: from what to what, e.g. `int -> long`.
        reason: why it is refused, or needs a rewrite; empty where it is safe.
    """

    table: str
    action: Action
    column: str
    detail: str
    verdict: Verdict
    reason: str = ""

    def __str__(self) -> str:
        column = f" {self.column}" if self.column else ""
        why = f" ({self.reason})" if self.reason else ""
        return f"{self.table}: {self.action}{column}: {self.detail}: {self.verdict}{why}"
