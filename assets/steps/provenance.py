"""What a materialization tells of its snapshot, of what it was made from, and of the build before it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

import dagster as dg

from assets.keys import Keys
from pipeline.batch.provenance import InputHour, Provenance
from pipeline.contract.model import EVENTS
from pipeline.control.publications import Publication
from pipeline.tables.commit import CONTRACT_VERSION_KEY, RUN_ID_KEY
from pipeline.tables.snapshots import SnapshotFacts

_INPUTS = ("table", "hour", "rows", "snapshot id", "wap id", "published at", "run id")
_CHANGES = ("what", "before", "now")


def look_further(keys: Keys, commands: Iterable[str]) -> dict[str, dg.MetadataValue[str]]:
    """Return the command lines that tell more, each of the product's cell."""
    lines = "\n".join(f"headwater {command} --cell {keys.cell}" for command in commands)
    return {"look further": dg.MetadataValue.md(f"```console\n{lines}\n```")}


def of_snapshot(view: str, snapshot_id: int | None) -> str:
    """Return the command that tells what a view of history has of a snapshot."""
    return f'sql "SELECT * FROM {view} WHERE snapshot_id = {snapshot_id}"'  # noqa: S608 - to be read; nothing runs it


def snapshot_metadata(snapshot: SnapshotFacts | None) -> dict[str, Any]:
    """Return a snapshot's place in its table, and what its summary says; nothing if it is not retained."""
    if snapshot is None:
        return {}
    said = {
        words: snapshot.summary[key]
        for words, key in (("run id", RUN_ID_KEY), ("contract version", CONTRACT_VERSION_KEY))
        if key in snapshot.summary
    }
    return {
        "parent snapshot id": str(snapshot.parent_id),
        "sequence number": snapshot.sequence_number,
        "committed at": dg.MetadataValue.timestamp(snapshot.committed_at),
        **said,
    }


def provenance_metadata(
    publication: Publication, known: Provenance | None, *, detailed: bool = True
) -> Mapping[str, Any]:
    """Return the hours that a published one was computed from with their builds, and what changed.

    Of the build before it all that is different is told; where the digest is not, no row has changed. Without
    details it is told whether rows have changed: the tables may take 10 KB.
    """
    found: dict[str, Any] = {
        "source rows": publication.source_rows or 0,
        "digest": publication.digest or "",
    }
    if known is None:
        return found
    changes = known.changes(publication)
    found["rows changed"] = _verdict(known, {one.field for one in changes})
    if not detailed:
        return found
    found["input hours"] = _table(_INPUTS, [_input(publication, one) for one in known.inputs])
    if known.hours > len(known.inputs):
        found["input hours, not shown"] = known.hours - len(known.inputs)
    if known.previous is not None:
        found["since the build before"] = _table(
            _CHANGES,
            [
                {
                    "what": one.field.replace("_", " "),
                    "before": _text(one.before),
                    "now": _text(one.now),
                }
                for one in changes
            ],
        )
    return found


def _input(publication: Publication, one: InputHour) -> dict[str, str]:
    snapshot = one.build.published_snapshot_id if one.build else None
    if one.table == EVENTS:
        snapshot = publication.source_snapshot_id
    return {
        "table": one.table,
        "hour": f"{one.hour:%Y-%m-%dT%H}",
        "rows": _text(one.rows),
        "snapshot id": _text(snapshot),
        "wap id": one.build.wap_id if one.build else "",
        "published at": _text(one.build.published_at if one.build else None),
        "run id": one.build.run_id if one.build else "",
    }


def _verdict(known: Provenance, changed: Collection[str]) -> str:
    if known.previous is None:
        return "first build"
    if known.previous.digest is None:
        return "unknown"
    return "yes" if "digest" in changed else "no"


def _table(columns: Iterable[str], rows: Iterable[Mapping[str, str]]) -> dg.TableMetadataValue:
    records = [dg.TableRecord(dict(row)) for row in rows]
    return dg.MetadataValue.table(records, dg.TableSchema([dg.TableColumn(c) for c in columns]))


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return "" if value is None else str(value)
