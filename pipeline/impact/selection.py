"""Which records are meant: by their offsets, by what brought them, or by what they say of themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl


@dataclass(frozen=True)
class Selection:
    """Filters; all that is given must hold, and what is not given selects all.

    Attributes:
        partition, start, end: offsets [start, end) of one partition.
        snapshot_id: of events: what its commit brought.
        run_id: of the ingest that committed them.
        producer: as the column `_producer` of events, and the header of dead letters, have it.
        schema_version: as the column `_schema_version` of events has it; no dead letter is told by it.
        since, until: event time [since, until); no dead letter is told by it.
    """

    partition: int | None = None
    start: int | None = None
    end: int | None = None
    snapshot_id: int | None = None
    run_id: str | None = None
    producer: str | None = None
    schema_version: int | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_by_commit(self) -> bool:
        """Whether offsets or commits bound it: then only files that may hold these are read."""
        named = (self.start, self.end, self.snapshot_id, self.run_id)
        return any(one is not None for one in named)

    @property
    def is_of_letters(self) -> bool:
        """Whether dead letters can be told by it."""
        return (self.schema_version, self.since, self.until) == (None, None, None)

    @property
    def entries_filter(self) -> str | None:
        """The filter on entries of the ledger that may hold some of them; None for all."""
        parts = []
        if self.partition is not None:
            parts.append(f"partition = {self.partition}")
        if self.start is not None:
            parts.append(f"end > {self.start}")
        if self.end is not None:
            parts.append(f"start < {self.end}")
        if self.snapshot_id is not None:
            parts.append(f"snapshot_id = {self.snapshot_id}")
        if self.run_id is not None:
            parts.append(f"run_id = {literal(self.run_id)}")
        return " and ".join(parts) or None

    def of_entries(self) -> pl.Expr:
        """Return the same filter, over a frame of entries."""
        parts = [pl.lit(value=True)]
        if self.partition is not None:
            parts.append(pl.col("partition") == self.partition)
        if self.start is not None:
            parts.append(pl.col("end") > self.start)
        if self.end is not None:
            parts.append(pl.col("start") < self.end)
        if self.snapshot_id is not None:
            parts.append(pl.col("snapshot_id") == self.snapshot_id)
        if self.run_id is not None:
            parts.append(pl.col("run_id") == self.run_id)
        return pl.all_horizontal(parts)

    @property
    def columns_filter(self) -> str | None:
        """The filter on events by what they say of themselves; None for all."""
        parts = []
        if self.schema_version is not None:
            parts.append(f"_schema_version = {self.schema_version}")
        if self.producer is not None:
            parts.append(f"_producer = {literal(self.producer)}")
        if self.since is not None:
            parts.append(f"_event_time >= '{self.since.isoformat()}'")
        if self.until is not None:
            parts.append(f"_event_time < '{self.until.isoformat()}'")
        return " and ".join(parts) or None


EVERYTHING = Selection()


def literal(text: str) -> str:
    """Return a text as a filter names it."""
    return "'" + text.replace("'", "''") + "'"
