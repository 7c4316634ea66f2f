"""Deleting from Dagster's storage what it need not remember."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from assets.dagster_private.event_log import delete_old_events, detach_partitions, shard_of
from assets.runs import ENDED, builds_hours, cell_of
from assets.steps.retention import DEFAULT_RETENTION, EndedRun, Retention, forgettable_runs
from pipeline.clock import Clock, utc_now

_PAGE = 500


def forget_old(
    instance: dg.DagsterInstance,
    cell: str,
    log: logging.Logger,
    retention: Retention = DEFAULT_RETENTION,
    clock: Clock = utc_now,
) -> dict[str, int]:
    """Delete the cell's old runs with their events and logs, and its old events of no run.

    Runs of other cells and of other code are left alone, runs that have not ended too, the newest
    materialization, observation and evaluation of every asset, and the newest materialization of every
    partition: an hour that was published stays so. Deletes one bounded batch of runs: the rest is left to
    the next time. Databases do not shrink, as what is free in them is used again. May be ended at any
    moment.
    """
    now = clock()
    newest = _newest(instance, cell)
    deleted = forgettable_runs(_ended(instance, cell, now, retention), newest, now, retention)
    for run_id in deleted:
        detach_partitions(instance, run_id)
        instance.delete_run(run_id)
        instance.compute_log_manager.delete_logs(prefix=[run_id])
        _delete_files(instance, run_id)
    events = delete_old_events(instance, cell, now - retention.runs)
    log.info(f"{len(deleted):,} runs and {events:,} events are forgotten.")
    return {
        "runs deleted": len(deleted),
        "events deleted": events,
        "runs kept as newest": len(newest),
    }


def _ended(
    instance: dg.DagsterInstance, cell: str, now: datetime, retention: Retention
) -> Iterator[EndedRun]:
    """Yield the cell's ended runs that are older than the shortest time that any is kept, oldest first."""
    for record in _old_records(instance, now, retention):
        run = record.dagster_run
        if cell_of(run) == cell:
            yield EndedRun(
                run.run_id,
                datetime.fromtimestamp(record.end_time or record.create_timestamp.timestamp(), UTC),
                succeeded=run.status is dg.DagsterRunStatus.SUCCESS,
                builds_hours=builds_hours(run),
            )


def _old_records(
    instance: dg.DagsterInstance, now: datetime, retention: Retention
) -> Iterator[dg.RunRecord]:
    old = dg.RunsFilter(statuses=ENDED, created_before=now - retention.runs)
    cursor = None
    while page := instance.get_run_records(old, limit=_PAGE, ascending=True, cursor=cursor):
        yield from page
        cursor = page[-1].dagster_run.run_id


def _newest(instance: dg.DagsterInstance, cell: str) -> set[str]:
    """Return the runs that logged the newest materialization of some asset of the cell."""
    keys = [key for key in instance.all_asset_keys() if key.path[0] == cell]
    records = instance.get_asset_records(keys) if keys else ()
    last = (record.asset_entry.last_materialization_record for record in records)
    return {record.run_id for record in last if record is not None}


def _delete_files(instance: dg.DagsterInstance, run_id: str) -> None:
    """Delete what Dagster leaves of a run beside its database: its own SQLite file, and its folder."""
    shard = shard_of(instance, run_id)
    if shard is not None:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{shard}{suffix}").unlink(missing_ok=True)
    shutil.rmtree(Path(instance.storage_directory()) / run_id, ignore_errors=True)
