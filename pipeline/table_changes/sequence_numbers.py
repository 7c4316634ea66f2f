"""The order of a product's snapshots of events, those that have expired too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pyiceberg.table import Table

from pipeline.ledger.archived import Archive
from pipeline.table_changes.kept import kept_through
from pipeline.tables.integrity.reading import reading

_IDS_AT_ONCE = 500
_COLUMNS = ("snapshot_id", "sequence_number")


def sequence_numbers(
    events: Table, changes: Table | None, archive: Archive, snapshot_ids: Iterable[int]
) -> Mapping[int, int]:
    """Return the sequence numbers of those of the snapshots of events of which anything is kept.

    Of one that has expired the table of changes says it, whoever committed it: what was built after an upkeep
    was mostly built from a compaction's. Where no changes are kept yet, the ledger says it of ingest's.

    Raises: as `reading`.
    """
    retained = {one.snapshot_id: one.sequence_number or 0 for one in events.metadata.snapshots}
    wanted = set(snapshot_ids)
    found = {one: retained[one] for one in wanted if one in retained}
    lacking = sorted(wanted - set(found))
    table, of_events = archive.table, ""
    if changes is not None and kept_through(changes, events):
        table, of_events = changes, f"table = '{events.name()[-1]}' and "
    if table is None:
        return found
    for begin in range(0, len(lacking), _IDS_AT_ONCE):
        ids = ", ".join(map(str, lacking[begin : begin + _IDS_AT_ONCE]))
        with reading(table):
            rows = table.scan(
                f"{of_events}snapshot_id in ({ids})", selected_fields=_COLUMNS
            ).to_arrow()
        found |= {row["snapshot_id"]: row["sequence_number"] for row in rows.to_pylist()}
    return found
