"""Rows of events by their uuid, by where their records stood, and those that retention has deleted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot

from pipeline.ledger.retention import RETENTION_PROPERTY
from pipeline.tables.data_files.live import LiveFile, live_files
from pipeline.tables.integrity.reading import reading
from pipeline.tables.layout import RECORD_VALUE
from pipeline.tables.snapshots import main_history
from pipeline.trace.commits import Commits
from pipeline.trace.model import Deletion, Headers, Place, Row
from pipeline.trace.parquet import ParquetFiles, parquet_files

UUID = "_uuid"
_COLUMNS = (
    "_topic",
    "_topic_id",
    "_topic_partition",
    "_offset",
    "_record_time",
    "_ingested_at",
    "_run_id",
    UUID,
    "_event_time",
    "_schema_version",
    "_late",
    "_traceparent",
    "_producer",
    "_job_id",
    "_replay_id",
    "_origin_partition",
    "_origin_offset",
)


class RowFinder:
    """Finds rows in the files of events as the table was loaded."""

    def __init__(self, events: Table, commits: Commits, topic_id: str | None) -> None:
        """`topic_id` is of the topic that is ingested now: the ledger counts the offsets of no other."""
        self._events = events
        self._commits = commits
        self._topic_id = topic_id
        self._files = live_files(events)

    def of_uuid(self, uuid: str) -> tuple[Row, ...]:
        """Return the rows of a uuid, by event time: one in every hour that it came to, mostly one in all.

        Opens every file's footer, and the row groups that its bounds and Bloom filters let through.

        Raises: as `reading`.
        """
        return self._rows(self._files, UUID, uuid)

    def at(self, places: Iterable[Place]) -> tuple[Row, ...]:
        """Return the rows that were made of records at these places; opens files by their bounds alone.

        Raises: as `reading`.
        """
        wanted_places = tuple(places)
        if not wanted_places:
            return ()
        schema = self._events.schema()
        partition, offset = (
            schema.find_field(name).field_id for name in ("_topic_partition", "_offset")
        )
        found: list[Row] = []
        with reading(self._events), parquet_files(self._events) as opened:
            for place in wanted_places:
                may = [
                    file.path
                    for file in self._files
                    if file.may_hold(offset, place.offset)
                    and file.may_hold(partition, place.partition)
                ]
                wanted = "_topic_id = ? and _topic_partition = ? and _offset = ?"
                values = (place.topic_id, place.partition, place.offset)
                for path in may:
                    found += self._read(opened, path, wanted, values)
        return tuple(found)

    def deleted(self, uuid: str) -> tuple[Row, ...]:
        """Return the rows of a uuid that retention has deleted, as long as a snapshot from before has them.

        Raises: as `reading`.
        """
        return tuple(
            row
            for snapshot, files in _deletions(self._events)
            for row in self._rows(
                files,
                UUID,
                uuid,
                Deletion(
                    snapshot.snapshot_id, datetime.fromtimestamp(snapshot.timestamp_ms / 1000, UTC)
                ),
            )
        )

    def _rows(
        self,
        files: Sequence[LiveFile],
        column: str,
        value: str,
        deletion: Deletion | None = None,
    ) -> tuple[Row, ...]:
        found: list[Row] = []
        with reading(self._events), parquet_files(self._events) as opened:
            for path in opened.having([file.path for file in files], column, value):
                found += self._read(opened, path, f'"{column}" = ?', (value,), deletion)
        return tuple(sorted(found, key=lambda row: (row.event_time, row.place)))

    def _read(
        self,
        opened: ParquetFiles,
        path: str,
        wanted: str,
        values: Sequence[object],
        deletion: Deletion | None = None,
    ) -> Iterator[Row]:
        for one in opened.rows(path, (*_COLUMNS, RECORD_VALUE), wanted, values):
            yield self._row(one, deletion)

    def _row(self, one: dict[str, Any], deletion: Deletion | None) -> Row:
        place = Place(one["_topic_id"], one["_topic_partition"], one["_offset"])
        replayed = one["_origin_offset"] is not None
        counted = place.topic_id == self._topic_id
        return Row(
            topic=one["_topic"],
            place=place,
            uuid=one[UUID],
            record_time=one["_record_time"].astimezone(UTC),
            ingested_at=one["_ingested_at"].astimezone(UTC),
            run_id=one["_run_id"],
            event_time=one["_event_time"].astimezone(UTC),
            schema_version=one["_schema_version"],
            late=one["_late"],
            unlisted=one[RECORD_VALUE] is not None,
            headers=Headers(one["_producer"], one["_job_id"], one["_traceparent"]),
            replay_id=one["_replay_id"],
            origin=Place(place.topic_id, one["_origin_partition"], one["_origin_offset"])
            if replayed
            else None,
            commit=self._commits.counting(place.partition, place.offset) if counted else None,
            deletion=deletion,
        )


def _deletions(events: Table) -> Iterator[tuple[Snapshot, tuple[LiveFile, ...]]]:
    """Yield snapshots by which retention has deleted, with the files that they have not any more."""
    for snapshot in main_history(events):
        if snapshot.summary is None or snapshot.parent_snapshot_id is None:
            continue
        if RETENTION_PROPERTY not in snapshot.summary.additional_properties:
            continue
        parent = events.metadata.snapshot_by_id(snapshot.parent_snapshot_id)
        if parent is None:
            continue
        left = {file.path for file in live_files(events, snapshot)}
        gone = tuple(file for file in live_files(events, parent) if file.path not in left)
        if gone:
            yield snapshot, gone
