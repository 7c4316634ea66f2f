"""What a table's snapshots tell of the hours staged on it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot

from pipeline.batch.model import Staged, StagedHour
from pipeline.table_changes.staged_summary import (
    COLUMNS_KEY,
    EXPECTATIONS_KEY,
    HOURS_KEY,
    INPUT_SNAPSHOTS_KEY,
    SOURCE_KEY,
    WAP_ID_KEY,
    staged_hours,
)
from pipeline.tables.commit import CODE_VERSION_KEY, CONTRACT_VERSION_KEY, RUN_ID_KEY
from pipeline.tables.data_files.hourly import added_rows_by_hour


def summary_of(staged: Staged) -> dict[str, str]:
    """Return the summary keys, beside Spark's own, that let `stagings` find a staging again.

    About 60 bytes an hour, which every commit of the table writes until the snapshot expires.
    """
    hours = {one.hour.isoformat(): [one.source_rows, one.inputs] for one in staged.hours}
    return {
        HOURS_KEY: json.dumps(hours, separators=(",", ":")),
        SOURCE_KEY: str(staged.source_snapshot_id),
        CONTRACT_VERSION_KEY: staged.contract_version,
        RUN_ID_KEY: staged.run_id,
        CODE_VERSION_KEY: staged.code_version,
        INPUT_SNAPSHOTS_KEY: json.dumps(staged.input_snapshots, separators=(",", ":")),
        EXPECTATIONS_KEY: str(staged.expectations),
        COLUMNS_KEY: json.dumps(staged.columns),
    }


def stagings(
    table: Table, wanted: Callable[[str, datetime], bool] = lambda _wap_id, _hour: True
) -> Iterator[Staged]:
    """Yield the retained stagings of a table, published or not, oldest first.

    Of each the hours that are `wanted`, told by its id and the hour, and none without such an hour. The rows
    of several hours stand in manifests of the staging, which are read.
    """
    for snapshot in table.metadata.snapshots:
        summary = snapshot.summary.additional_properties if snapshot.summary else {}
        if WAP_ID_KEY not in summary:
            continue
        held = _hours_of(summary)
        hours = [one.hour for one in held if wanted(summary[WAP_ID_KEY], one.hour)]
        if hours:
            yield _read(table, snapshot, summary, held).only(hours)


def find_staging(table: Table, wap_id: str) -> Staged | None:
    """Return the retained staging of that id."""
    snapshot = staged_snapshot(table, wap_id)
    if snapshot is None or snapshot.summary is None:
        return None
    summary = snapshot.summary.additional_properties
    held = _hours_of(summary)
    return _read(table, snapshot, summary, held) if held else None


def staged_snapshot(table: Table, wap_id: str) -> Snapshot | None:
    """Return the retained snapshot that was staged under that id, of whatever table."""
    return next(
        (
            one
            for one in table.metadata.snapshots
            if one.summary and one.summary.additional_properties.get(WAP_ID_KEY) == wap_id
        ),
        None,
    )


def _read(
    table: Table, snapshot: Snapshot, summary: Mapping[str, str], held: tuple[StagedHour, ...]
) -> Staged:
    rows = (
        {held[0].hour: int(summary.get("added-records", 0))}
        if len(held) == 1
        else added_rows_by_hour(table, snapshot)
    )
    return Staged(
        table=".".join(table.name()),
        wap_id=summary[WAP_ID_KEY],
        source_snapshot_id=int(summary[SOURCE_KEY]),
        snapshot_id=snapshot.snapshot_id,
        base_snapshot_id=snapshot.parent_snapshot_id,
        contract_version=summary[CONTRACT_VERSION_KEY],
        run_id=summary[RUN_ID_KEY],
        expectations=int(summary[EXPECTATIONS_KEY]),
        hours=tuple(replace(one, rows=rows.get(one.hour, 0)) for one in held),
        columns=tuple(json.loads(summary.get(COLUMNS_KEY, "[]"))),
        input_snapshots=json.loads(summary.get(INPUT_SNAPSHOTS_KEY, "{}")),
        code_version=summary.get(CODE_VERSION_KEY, ""),
    )


def _hours_of(summary: Mapping[str, str]) -> tuple[StagedHour, ...]:
    """Return the hours of a staging, as yet without their rows; none where a summary is of no staging.

    A cherry-picked snapshot has none of the keys: what it was made from has all.
    """
    return tuple(
        StagedHour(hour, 0, source.rows, source.inputs)
        for hour, source in staged_hours(summary).items()
    )
