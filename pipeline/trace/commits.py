"""Commits of events by the offsets that they count: from snapshots while these are kept, or the ledger."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from pyiceberg.table import Table

from pipeline.ledger.archived import Archive
from pipeline.ledger.lines import lines_of
from pipeline.ledger.model import SUMMARY_KEY, Entry
from pipeline.tables.commit import CONTRACT_VERSION_KEY, REFERENCE_VERSIONS_KEY, RUN_ID_KEY
from pipeline.tables.integrity.reading import reading
from pipeline.tables.snapshots import main_history

_IDS_AT_ONCE = 500
_ANY = re.compile("")
_WITH_DUPLICATES = re.compile(r'"duplicates":\s*[1-9]')


@dataclass(frozen=True)
class Commit:
    """One entry of the ledger, and all that is kept of the commit of events that made it.

    Attributes:
        entry: what the commit counts of one partition.
        run_id, contract_version: None where nothing that is kept says them.
        references: name of reference data -> its digest; None once the snapshot has expired.
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


class Commits:
    """The commits of one product's events. Nothing is read until it is asked for."""

    def __init__(self, events: Table, archive: Archive) -> None:
        """Look at both tables as they were loaded."""
        self._events = events
        self._archive = archive

    def counting(self, partition: int, offset: int) -> Commit | None:
        """Return the commit that counts an offset of the topic that is ingested now; None if none is kept.

        Raises: as `reading`.
        """
        for one in self._of_snapshots():
            entry = one.entry
            if entry.partition == partition and entry.start <= offset < entry.end:
                return one
        where = f"partition = {partition} and start <= {offset} and end > {offset}"
        return next(self._archived(where), None)

    def with_duplicates(self, since: int) -> tuple[Commit, ...]:
        """Return those from sequence number `since` on that count duplicates, oldest first.

        Raises: as `reading`.
        """
        known = {
            (one.sequence_number, one.entry.partition): one
            for one in (
                *self._archived(f"duplicates > 0 and sequence_number >= {since}"),
                *self._of_snapshots(_WITH_DUPLICATES),
            )
            if one.entry.duplicates and one.sequence_number >= since
        }
        return tuple(known[key] for key in sorted(known))

    def sequence_numbers(self, snapshot_ids: Collection[int]) -> Mapping[int, int]:
        """Return the sequence numbers of those of the snapshots of which anything is kept.

        Raises: as `reading`.
        """
        retained = {one.snapshot_id: one.sequence_number or 0 for one in self._events.snapshots()}
        lacking = sorted(set(snapshot_ids) - set(retained))
        found = {one: retained[one] for one in snapshot_ids if one in retained}
        for begin in range(0, len(lacking), _IDS_AT_ONCE):
            ids = ", ".join(map(str, lacking[begin : begin + _IDS_AT_ONCE]))
            for one in self._archived(f"snapshot_id in ({ids})"):
                found[one.snapshot_id] = one.sequence_number
        return found

    def _of_snapshots(self, having: re.Pattern[str] = _ANY) -> Iterator[Commit]:
        """Yield what retained snapshots say, newest first, of those whose entries have something in them."""
        for snapshot in main_history(self._events):
            said = {} if snapshot.summary is None else snapshot.summary.additional_properties
            if having.search(said.get(SUMMARY_KEY, "")) is None:
                continue
            lines = lines_of(snapshot)
            told = said.get(REFERENCE_VERSIONS_KEY, "")
            references = dict(one.split("=", 1) for one in told.split(",") if "=" in one)
            for line in lines:
                yield Commit(
                    line.snapshot_id,
                    line.sequence_number,
                    line.entry,
                    line.committed_at,
                    said.get(RUN_ID_KEY),
                    said.get(CONTRACT_VERSION_KEY),
                    references,
                    retained=True,
                )

    def _archived(self, where: str) -> Iterator[Commit]:
        table = self._archive.table
        if table is None:
            return
        with reading(table):
            rows = table.scan(where).to_arrow().to_pylist()
        for row in rows:
            yield Commit(
                row["snapshot_id"],
                row["sequence_number"],
                Entry(**{name: row[name] for name in Entry.__dataclass_fields__}),
                row["committed_at"].astimezone(UTC),
                row["run_id"],
                row["contract_version"],
                references=None,
                retained=False,
            )
