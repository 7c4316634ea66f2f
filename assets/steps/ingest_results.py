"""What an ingest run says of its commits, and of the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from assets.columns import column_lineage
from assets.keys import LEDGER_CHECK, Keys
from assets.steps.links import lineage_link
from assets.steps.provenance import look_further, of_snapshot, snapshot_metadata
from pipeline.contract.lineage.graph import DEAD_LETTERS
from pipeline.contract.lineage.sources import events_sources
from pipeline.contract.model import EVENTS
from pipeline.ingest.progress import Progress
from pipeline.ledger.ledger import Ledger
from pipeline.tables.snapshots import SnapshotFacts

_COUNTS = (
    "offsets",
    "rows",
    "duplicates",
    "dead_letters",
    "control",
    "aborted",
    "compacted",
    "lost",
    "unexplained",
)
_OF_RANGES = ("rows", "duplicates", "dead_letters", "gaps", "lost", "late")
_MOST_LINES = 96


@dataclass(frozen=True)
class Told:
    """What a run's materializations have in common; `page` is the lineage page, below the Data Docs."""

    code_version: str
    page: str | None = None


def events_materialized(
    keys: Keys,
    progress: Progress,
    ledger: Ledger,
    snapshot: SnapshotFacts | None,
    told: Told,
) -> dg.AssetMaterialization:
    """Return the events' materialization for a digest of commits, the last of which made `snapshot`."""
    return dg.AssetMaterialization(
        keys.events,
        metadata={
            "dagster/row_count": ledger.totals.rows - ledger.retention.rows,
            "rows added": progress.rows,
            "late rows": progress.late,
            "invalid rows": progress.invalid,
            "out of order": progress.out_of_order,
            "decoded one by one": progress.singly,
            "duplicates": progress.duplicates,
            "dead letters": progress.dead_letters,
            "gaps": progress.gaps,
            "offset ranges": _ranges(progress),
            "snapshot id": str(progress.snapshot_id),
            **snapshot_metadata(snapshot),
            "committed at": dg.MetadataValue.timestamp(progress.committed_at),
            "commits": progress.commits,
            "lag (records)": progress.lag,
            "held back": dg.MetadataValue.json(
                {str(p): at for p, at in progress.held_back.items()}
            ),
            "code version": told.code_version,
            "dagster/column_lineage": column_lineage(keys, events_sources(keys.product)),
            **lineage_link(keys, told.page, EVENTS),
            **look_further(
                keys,
                (
                    f"impact {keys.product.name} --snapshot {progress.snapshot_id}",
                    of_snapshot("table_changes", progress.snapshot_id),
                    f"ledger {keys.product.name}",
                    "trace UUID",
                ),
            ),
        },
    )


def dead_letters_materialized(
    keys: Keys, progress: Progress, snapshot: SnapshotFacts | None, told: Told
) -> dg.AssetMaterialization:
    """Return the dead letters' materialization for a digest of commits; `snapshot` is their table's last."""
    return dg.AssetMaterialization(
        keys.dead_letters,
        metadata={
            "rows added": progress.dead_letters,
            "reasons": dg.MetadataValue.json(dict(progress.reasons)),
            "offset ranges": _ranges(progress),
            "snapshot id": str(snapshot.snapshot_id if snapshot else None),
            **snapshot_metadata(snapshot),
            "code version": told.code_version,
            **lineage_link(keys, told.page, DEAD_LETTERS),
            **look_further(
                keys,
                (
                    *([of_snapshot("table_changes", snapshot.snapshot_id)] if snapshot else []),
                    f"dead-letters list {keys.product.name}",
                ),
            ),
        },
    )


def ledger_metadata(ledger: Ledger) -> Mapping[str, Any]:
    """Return the ledger's totals and what does not add up."""
    totals = ledger.totals
    return {
        "offsets": totals.offsets,
        "rows": totals.rows,
        "duplicates": totals.duplicates,
        "dead letters": totals.dead_letters,
        "gaps: control records": totals.control,
        "gaps: aborted transactions": totals.aborted,
        "gaps: compacted away": totals.compacted,
        "lost": totals.lost,
        "rows deleted by retention": ledger.retention.rows,
        "unexplained": ledger.unexplained,
        "invalid rows": totals.invalid,
        "invalid rows (%)": round(100 * totals.invalid_rate, 4),
        "problems": dg.MetadataValue.json(list(ledger.problems)),
        "by partition and hour": dg.MetadataValue.md(_by_partition_and_hour(ledger)),
    }


def _by_partition_and_hour(ledger: Ledger) -> str:
    """Return the newest lines of the ledger as a Markdown table."""
    sums = sorted(ledger.by_partition_and_hour().items(), key=lambda item: (item[0][1], item[0][0]))
    lines = [
        "| hour | partition | " + " | ".join(_COUNTS) + " |",
        "|---" * (len(_COUNTS) + 2) + "|",
    ]
    for (partition, hour), totals in reversed(sums[-_MOST_LINES:]):
        counts = " | ".join(str(getattr(totals, name)) for name in _COUNTS)
        lines.append(f"| {hour:%Y-%m-%d %H}:00 | {partition} | {counts} |")
    return "\n".join(lines)


def ledger_evaluation(keys: Keys, ledger: Ledger) -> dg.AssetCheckEvaluation:
    """Return the ledger check's verdict while a run goes on."""
    return dg.AssetCheckEvaluation(
        asset_key=keys.events,
        check_name=LEDGER_CHECK,
        passed=ledger.balanced,
        metadata=ledger_metadata(ledger),
        blocking=True,
    )


def ledger_result(keys: Keys, ledger: Ledger) -> dg.AssetCheckResult:
    """Return the ledger check's verdict at the end of a run."""
    return dg.AssetCheckResult(
        asset_key=keys.events,
        check_name=LEDGER_CHECK,
        passed=ledger.balanced,
        metadata=ledger_metadata(ledger),
    )


def _ranges(progress: Progress) -> dg.TableMetadataValue:
    """Return the ledger's entries of the commits, of as many partitions as are worth looking at."""
    records = [
        dg.TableRecord(
            {
                "partition": entry.partition,
                "start": entry.start,
                "end": entry.end,
                "offsets": entry.end - entry.start,
                **{name.replace("_", " "): getattr(entry, name) for name in _OF_RANGES},
            }
        )
        for entry in progress.entries[:_MOST_LINES]
    ]
    names = ("partition", "start", "end", "offsets", *_OF_RANGES)
    columns = [dg.TableColumn(name.replace("_", " "), "int") for name in names]
    return dg.MetadataValue.table(records, dg.TableSchema(columns))
