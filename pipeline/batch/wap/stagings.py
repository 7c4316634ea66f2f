"""What a table's snapshots tell of the hours staged on it."""

from __future__ import annotations

import json
from datetime import datetime

from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot

from pipeline.batch.model import Staged
from pipeline.tables.commit import CONTRACT_VERSION_KEY, RUN_ID_KEY

WAP_ID_KEY = "wap.id"
HOUR_KEY = "headwater.hour"
SOURCE_KEY = "headwater.source-snapshot-id"
EXPECTATIONS_KEY = "headwater.expectations"
SOURCE_ROWS_KEY = "headwater.source-rows"
INPUTS_KEY = "headwater.inputs"
COLUMNS_KEY = "headwater.columns"


def summary_of(staged: Staged) -> dict[str, str]:
    """Return the summary keys, beside Spark's own, that let `stagings` find a staging again."""
    return {
        HOUR_KEY: staged.hour.isoformat(),
        SOURCE_KEY: str(staged.source_snapshot_id),
        CONTRACT_VERSION_KEY: staged.contract_version,
        RUN_ID_KEY: staged.run_id,
        EXPECTATIONS_KEY: str(staged.expectations),
        SOURCE_ROWS_KEY: str(staged.source_rows),
        INPUTS_KEY: staged.inputs,
        COLUMNS_KEY: json.dumps(staged.columns),
    }


def stagings(table: Table) -> tuple[Staged, ...]:
    """Return every retained staging of a table, published or not, oldest first."""
    found = (_read(table, snapshot) for snapshot in table.metadata.snapshots)
    return tuple(staged for staged in found if staged is not None)


def find_staging(table: Table, wap_id: str) -> Staged | None:
    """Return the retained staging of that id."""
    return next((staged for staged in stagings(table) if staged.wap_id == wap_id), None)


def _read(table: Table, snapshot: Snapshot) -> Staged | None:
    summary = snapshot.summary.additional_properties if snapshot.summary else {}
    # A cherry-picked snapshot has neither key: what it was made from has both.
    if WAP_ID_KEY not in summary or HOUR_KEY not in summary:
        return None
    return Staged(
        table=".".join(table.name()),
        hour=datetime.fromisoformat(summary[HOUR_KEY]),
        wap_id=summary[WAP_ID_KEY],
        source_snapshot_id=int(summary[SOURCE_KEY]),
        snapshot_id=snapshot.snapshot_id,
        base_snapshot_id=snapshot.parent_snapshot_id,
        rows=int(summary.get("added-records", 0)),
        contract_version=summary[CONTRACT_VERSION_KEY],
        run_id=summary[RUN_ID_KEY],
        expectations=int(summary[EXPECTATIONS_KEY]),
        source_rows=int(summary.get(SOURCE_ROWS_KEY, -1)),
        inputs=summary.get(INPUTS_KEY, ""),
        columns=tuple(json.loads(summary.get(COLUMNS_KEY, "[]"))),
    )
