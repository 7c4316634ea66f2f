"""What an ingest run says of its commits, and of the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from assets.columns import column_lineage
from assets.keys import LEDGER_CHECK, Keys
from pipeline.contract.lineage.sources import events_sources
from pipeline.ingest.progress import Progress
from pipeline.ledger.ledger import Ledger

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
_MOST_LINES = 96


def events_materialized(
    keys: Keys, progress: Progress, ledger: Ledger, code_version: str
) -> dg.AssetMaterialization:
    """Return the events' materialization for a digest of commits."""
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
            "committed at": dg.MetadataValue.timestamp(progress.committed_at),
            "commits": progress.commits,
            "lag (records)": progress.lag,
            "held back": dg.MetadataValue.json(
                {str(p): at for p, at in progress.held_back.items()}
            ),
            "code version": code_version,
            "dagster/column_lineage": column_lineage(keys, events_sources(keys.product)),
        },
    )


def dead_letters_materialized(
    keys: Keys, progress: Progress, code_version: str
) -> dg.AssetMaterialization:
    """Return the dead letters' materialization for a digest of commits."""
    return dg.AssetMaterialization(
        keys.dead_letters,
        metadata={
            "rows added": progress.dead_letters,
            "reasons": dg.MetadataValue.json(dict(progress.reasons)),
            "offset ranges": _ranges(progress),
            "code version": code_version,
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
    return dg.MetadataValue.table(
        [
            dg.TableRecord({"partition": p, "start": start, "end": end, "offsets": end - start})
            for p, (start, end) in sorted(progress.ranges.items())
        ]
    )
