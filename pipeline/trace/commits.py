"""Commits of events by the offsets that they count: from snapshots, and from what outlives these."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pyiceberg.table import Table

from pipeline.ledger.archived import Archive
from pipeline.ledger.lines import lines_of
from pipeline.ledger.model import SUMMARY_KEY, Counts, Entry
from pipeline.table_changes.kept import kept_through
from pipeline.table_changes.sequence_numbers import sequence_numbers
from pipeline.tables.commit import (
    CODE_VERSION_KEY,
    CONTRACT_VERSION_KEY,
    REFERENCE_VERSIONS_KEY,
    RUN_ID_KEY,
)
from pipeline.tables.integrity.reading import reading
from pipeline.tables.snapshots import main_history

_ANY = re.compile("")
_WITH_DUPLICATES = re.compile(r'"duplicates":\s*[1-9]')


@dataclass(frozen=True)
class Commit:
    """One entry of the ledger, and all that is kept of the commit of events that made it.

    Attributes:
        entry: what the commit counts of one partition.
        run_id, contract_version, code_version, references: None where nothing that is kept says them;
            `references` are names of reference data and their digests.
        retained: whether the snapshot can still be read.
    """

    snapshot_id: int
    sequence_number: int
    entry: Entry
    committed_at: datetime
    run_id: str | None
    contract_version: str | None
    references: Mapping[str, str] | None
    retained: bool
    code_version: str | None = None


class Commits:
    """The commits of one product's events. Nothing is read until it is asked for."""

    def __init__(self, events: Table, changes: Table | None, archive: Archive) -> None:
        """Look at the tables as they were loaded: `archive` counts where there is no table of changes yet."""
        self._events = events
        self._changes = changes if kept_through(changes, events) else None
        self._archive = archive

    def counting(self, partition: int, offset: int) -> Commit | None:
        """Return the commit that counts an offset of the topic that is ingested now; None if none is kept.

        Raises: as `reading`.
        """
        for one in self._of_snapshots():
            entry = one.entry
            if entry.partition == partition and entry.start <= offset < entry.end:
                return one
        kept = self._kept(
            f"partition = {partition}",
            f" and first_offset <= {offset} and last_offset >= {offset}",
            f" and start <= {offset} and end > {offset}",
        )
        return next(kept, None)

    def with_duplicates(self, since: int) -> tuple[Commit, ...]:
        """Return those from sequence number `since` on that count duplicates, oldest first.

        Raises: as `reading`.
        """
        some = f"duplicates > 0 and sequence_number >= {since}"
        known = {
            (one.sequence_number, one.entry.partition): one
            for one in (*self._kept(some), *self._of_snapshots(_WITH_DUPLICATES))
            if one.entry.duplicates and one.sequence_number >= since
        }
        return tuple(known[key] for key in sorted(known))

    def sequence_numbers(self, snapshot_ids: Collection[int]) -> Mapping[int, int]:
        """Return the sequence numbers of those of the snapshots of which anything is kept.

        Raises: as `reading`.
        """
        return sequence_numbers(self._events, self._changes, self._archive, snapshot_ids)

    def _of_snapshots(self, having: re.Pattern[str] = _ANY) -> Iterator[Commit]:
        """Yield what retained snapshots say, newest first, of those whose entries have something in them."""
        for snapshot in main_history(self._events):
            said = {} if snapshot.summary is None else snapshot.summary.additional_properties
            if having.search(said.get(SUMMARY_KEY, "")) is None:
                continue
            for line in lines_of(snapshot):
                yield Commit(
                    line.snapshot_id,
                    line.sequence_number,
                    line.entry,
                    line.committed_at,
                    said.get(RUN_ID_KEY),
                    said.get(CONTRACT_VERSION_KEY),
                    _references(said.get(REFERENCE_VERSIONS_KEY, "")),
                    retained=True,
                    code_version=said.get(CODE_VERSION_KEY),
                )

    def _kept(self, asked: str, of_changes: str = "", of_ledger: str = "") -> Iterator[Commit]:
        """Yield what outlives snapshots, of what `_rows` gives."""
        for row in self._rows(asked, of_changes, of_ledger):
            if row["partition"] is None:
                continue
            ledger = "start" in row
            told = row.get("reference_versions")
            yield Commit(
                row["snapshot_id"],
                row["sequence_number"],
                Entry(
                    partition=row["partition"],
                    start=row["start"] if ledger else row["first_offset"],
                    end=row["end"] if ledger else row["last_offset"] + 1,
                    **{name: row[name] for name in Counts.__dataclass_fields__},
                ),
                row["committed_at"].astimezone(UTC),
                row["run_id"],
                row["contract_version"],
                references=None if told is None else _references(told),
                retained=False,
                code_version=row.get("code_version"),
            )

    def _rows(self, asked: str, of_changes: str = "", of_ledger: str = "") -> list[dict[str, Any]]:
        """Return rows of the table of changes, or of the ledger: by a filter, and what each adds to it."""
        table, where = self._archive.table, asked + of_ledger
        if self._changes is not None:
            table = self._changes
            where = f"table = '{self._events.name()[-1]}' and {asked}{of_changes}"
        if table is None:
            return []
        with reading(table):
            found: list[dict[str, Any]] = table.scan(where).to_arrow().to_pylist()
        return found


def _references(text: str) -> dict[str, str]:
    return dict(one.split("=", 1) for one in text.split(",") if "=" in one)
