"""What is forgotten of Dagster's event log. Importing this imports no Dagster."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagster import DagsterInstance


def shard_of(instance: DagsterInstance, run_id: str) -> str | None:
    """Return the SQLite file that holds a run's events alone, None where there is no such file.

    `DagsterInstance.delete_run` empties it, and leaves it where it is.
    """
    from dagster._core.storage.event_log import SqliteEventLogStorage

    storage = instance.event_log_storage
    return storage.path_for_shard(run_id) if isinstance(storage, SqliteEventLogStorage) else None


def detach_partitions(instance: DagsterInstance, run_id: str) -> int:
    """Let the materializations of partitions that a run logged be of no run; return how many.

    They stay when the run is deleted, at their time and in their order, and with them what Dagster shows of
    the partitions. Of their metadata stay numbers, times and short texts. What is public deletes them with
    the run, or logs new ones, which would be the newest of their assets.
    """
    import sqlalchemy as db
    from dagster._core.storage.event_log import SqlEventLogStorage
    from dagster._core.storage.event_log.schema import SqlEventLogStorageTable

    storage = instance.event_log_storage
    if not isinstance(storage, SqlEventLogStorage):
        return 0
    events = SqlEventLogStorageTable.c
    of_run = db.and_(
        events.run_id == run_id,
        events.dagster_event_type == "ASSET_MATERIALIZATION",
        events.partition.is_not(None),
    )
    with storage.index_connection() as connection:
        found = connection.execute(db.select(events.id, events.event).where(of_run)).all()
        for number, text in found:
            connection.execute(
                db.update(SqlEventLogStorageTable)
                .where(events.id == number)
                .values(run_id="", event=_of_no_run(text))
            )
    return len(found)


def _of_no_run(text: str) -> str:
    from dagster import (
        FloatMetadataValue,
        IntMetadataValue,
        TextMetadataValue,
        TimestampMetadataValue,
    )
    from dagster._core.events.log import EventLogEntry
    from dagster._serdes import deserialize_value, serialize_value

    short = (FloatMetadataValue, IntMetadataValue, TextMetadataValue, TimestampMetadataValue)
    entry = deserialize_value(text, EventLogEntry)
    event = entry.get_dagster_event()
    data = event.step_materialization_data
    kept = {k: v for k, v in data.materialization.metadata.items() if isinstance(v, short)}
    slim = data._replace(materialization=data.materialization.with_metadata(kept))
    return serialize_value(
        entry._replace(run_id="", dagster_event=event._replace(event_specific_data=slim))
    )


def delete_old_events(instance: DagsterInstance, cell: str, before: datetime) -> int:
    """Delete events that no run logged, and evaluations of checks, of assets below `cell`; return how many.

    The newest event of each kind and the newest evaluation of each asset stay, and what is younger than
    `before`. What is public deletes all events of an asset, or those of a run.
    """
    import sqlalchemy as db
    from dagster._core.storage.event_log import SqlEventLogStorage, SqliteEventLogStorage
    from dagster._core.storage.event_log.schema import (
        AssetCheckExecutionsTable,
        AssetEventTagsTable,
        SqlEventLogStorageTable,
    )

    storage = instance.event_log_storage
    if not isinstance(storage, SqlEventLogStorage):
        return 0
    # Without a zone, in UTC, as Dagster writes them.
    limit = before.astimezone(UTC).replace(tzinfo=None)
    events, checks = SqlEventLogStorageTable.c, AssetCheckExecutionsTable.c
    of_cell = f'["{cell}",%'
    newest = (
        db.select(db.func.max(events.id))
        .where(events.run_id == "", events.asset_key.like(of_cell))
        .group_by(events.asset_key, events.partition, events.dagster_event_type)
    )
    old = db.and_(
        events.run_id == "",
        events.asset_key.like(of_cell),
        events.timestamp < limit,
        events.id.not_in(newest),
    )
    latest = (
        db.select(db.func.max(checks.id))
        .where(checks.asset_key.like(of_cell))
        .group_by(checks.asset_key, checks.check_name, checks.partition)
    )
    outdated = db.and_(
        checks.asset_key.like(of_cell),
        checks.create_timestamp < limit,
        checks.id.not_in(latest),
    )
    with storage.index_connection() as connection:
        tags = AssetEventTagsTable.c.event_id.in_(db.select(events.id).where(old))
        connection.execute(db.delete(AssetEventTagsTable).where(tags))
        deleted = connection.execute(db.delete(SqlEventLogStorageTable).where(old)).rowcount
        deleted += connection.execute(db.delete(AssetCheckExecutionsTable).where(outdated)).rowcount
    if isinstance(storage, SqliteEventLogStorage):
        with storage.run_connection("") as connection:
            connection.execute(db.delete(SqlEventLogStorageTable).where(old))
    return int(deleted)
