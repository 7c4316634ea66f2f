"""Dead letters of an event: by its uuid in their bytes, by coordinates, by where records stood first."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from pipeline.dead_letters.fate import ORIGIN, PLACE, Fate, LetterState
from pipeline.dead_letters.look.letter import Step
from pipeline.dead_letters.look.masking import Mask
from pipeline.dead_letters.read import KEYS, TOPIC, LetterTables, fates, states
from pipeline.kafka.identity import TopicIdentity
from pipeline.kafka.records import RawRecord
from pipeline.tables.data_files.live import live_files
from pipeline.tables.integrity.reading import reading
from pipeline.tables.layout import DEAD_LETTER_SCHEMA
from pipeline.trace.commits import Commits
from pipeline.trace.find_rows import RowFinder
from pipeline.trace.model import DeadLetter, Match, Place
from pipeline.trace.needles import Needles, as_uuid
from pipeline.trace.open_records import RecordJudge, headers_of
from pipeline.trace.parquet import parquet_files

_BYTES = ("record_value", "record_key")
_OF_A_NAME = 5
"""The version of uuids that are made of coordinates."""
_MOST = 50
"""So many dead letters of one event are told of."""


class LetterFinder:
    """Finds dead letters as the tables were loaded. What became of all of them is read once."""

    def __init__(self, tables: LetterTables, rows: RowFinder, commits: Commits, mask: Mask) -> None:
        """`rows` tells what is where replays were sent."""
        self._tables = tables
        self._rows = rows
        self._commits = commits
        self._mask = mask
        self._files = live_files(tables.letters)
        self._fated = fates(tables)

    def find(
        self,
        uuid: str,
        needles: Needles,
        origins: Collection[Place],
        judge: RecordJudge,
        *,
        coordinates: bool,
    ) -> tuple[DeadLetter, ...]:
        """Return the event's dead letters, by when they were ingested; the first 50.

        `origins` are places whose letters are the event's, whatever their bytes say; `coordinates` tells
        whether the uuid may be one that is made of coordinates.

        Raises: as `read_letters`.
        """
        if self._fated.is_empty():
            return ()
        matches: dict[Place, Match | None] = dict.fromkeys(self._holding(needles))
        if coordinates:
            matches |= dict.fromkeys(self._of_coordinates(uuid), Match.COORDINATES)
        matches |= dict.fromkeys(self._of_origins(origins), Match.ORIGIN)
        found = [self._letter(one, match, judge) for one, match in sorted(matches.items())[:_MOST]]
        letters = [one for one in found if one is not None]
        # Those of the same records that neither their bytes nor the rows tell.
        more = {one.origin for one in letters} - set(origins)
        known = {one.place for one in letters}
        beside = sorted(self._of_origins(more) - known)[:_MOST]
        same = (self._letter(place, Match.ORIGIN, judge) for place in beside)
        letters += [one for one in same if one is not None]
        return tuple(sorted(letters, key=lambda one: (one.ingested_at, one.place)))

    def _holding(self, needles: Needles) -> set[Place]:
        """Return the dead letters whose value or key holds one of the needles."""
        found: set[Place] = set()
        with reading(self._tables.letters), parquet_files(self._tables.letters) as opened:
            paths = [file.path for file in self._files]
            for batch in opened.batches(paths, (*KEYS, *_BYTES)):
                rows = {row for name in _BYTES for row in needles.rows(batch.column(name))}
                places = pa.array(sorted(rows), pa.int64())
                held = batch.select(list(KEYS)).take(places).to_pylist()
                found |= {Place(*(one[name] for name in KEYS)) for one in held}
        return found

    def _of_coordinates(self, uuid: str) -> set[Place]:
        """Return the dead letters whose record, where it stood first, would have been given the uuid."""
        committed, asked = self._tables.committed, as_uuid(uuid)
        if committed is None or asked is None or asked.version != _OF_A_NAME:
            return set()
        # Compiled, which is not loaded for uuids of any other kind.
        from pipeline.ingest.transform.coordinate_uuid import coordinate_uuids

        topic = TopicIdentity(committed.cluster_id, committed.topic, committed.topic_id, ())
        made = coordinate_uuids(
            topic,
            self._fated[ORIGIN[0]].cast(pl.Int32).to_numpy(),
            self._fated[ORIGIN[1]].cast(pl.Int64).to_numpy().astype(np.int64),
        )
        return _places(self._fated.filter(pl.Series(made) == uuid))

    def _of_origins(self, origins: Collection[Place]) -> set[Place]:
        if not origins:
            return set()
        wanted = pl.DataFrame(
            [(one.topic_id, one.partition, one.offset) for one in origins],
            schema={name: self._fated.schema[name] for name in (TOPIC, *ORIGIN)},
            orient="row",
        )
        return _places(self._fated.join(wanted, on=[TOPIC, *ORIGIN], how="semi"))

    def _letter(self, place: Place, match: Match | None, judge: RecordJudge) -> DeadLetter | None:
        told, row = self._fate(place), self._read(place)
        if told is None or row is None:
            return None
        record, committed = _record(row), self._tables.committed
        cluster = "" if committed is None else committed.cluster_id
        topic = TopicIdentity(cluster, row["_topic"], place.topic_id, ())
        judged = match or judge.judge(record, topic)
        if judged is None:
            return None
        current = committed is not None and committed.topic_id == place.topic_id
        return DeadLetter(
            topic=row["_topic"],
            place=place,
            record_time=row["_record_time"].astimezone(UTC),
            ingested_at=row["_ingested_at"].astimezone(UTC),
            run_id=row["_run_id"],
            reason=row["reason"],
            detail=self._mask.detail(row["detail"]),
            headers=headers_of(record),
            origin=Place(place.topic_id, *(told[name] for name in ORIGIN)),
            replay_id=row["_replay_id"],
            fate=Fate(told["fate"]),
            steps=self._steps(place),
            commit=self._commits.counting(place.partition, place.offset) if current else None,
            match=judged,
        )

    def _fate(self, place: Place) -> dict[str, Any] | None:
        here = dict(zip(KEYS, (place.topic_id, place.partition, place.offset), strict=True))
        found = self._fated.filter(pl.all_horizontal(pl.col(k) == v for k, v in here.items()))
        return None if found.is_empty() else found.row(0, named=True)

    def _read(self, place: Place) -> dict[str, Any] | None:
        schema = self._tables.letters.schema()
        offset = schema.find_field("_offset").field_id
        wanted = "_topic_id = ? and _topic_partition = ? and _offset = ?"
        values = (place.topic_id, place.partition, place.offset)
        with reading(self._tables.letters), parquet_files(self._tables.letters) as opened:
            for file in self._files:
                if file.may_hold(offset, place.offset):
                    for row in opened.rows(file.path, DEAD_LETTER_SCHEMA.names, wanted, values):
                        return row
        return None

    def _steps(self, place: Place) -> tuple[Step, ...]:
        order = {state.value: number for number, state in enumerate(LetterState)}
        here = dict(zip(KEYS, (place.topic_id, place.partition, place.offset), strict=True))
        own = pl.all_horizontal(pl.col(name) == value for name, value in here.items())
        rows = states(self._tables).filter(own).to_dicts()
        rows.sort(key=lambda row: (row["at"], order.get(row["state"], 0)))
        return tuple(
            Step(
                row["state"],
                row["at"].astimezone(UTC),
                row["action_id"],
                row["replayed_partition"],
                row["replayed_offset"],
                self._found(place.topic_id, row["replayed_partition"], row["replayed_offset"]),
            )
            for row in rows
        )

    def _found(self, topic_id: str, partition: int | None, offset: int | None) -> str:
        """Return what is where a replay was sent, as `Step` tells it."""
        if partition is None or offset is None:
            return ""
        place = Place(topic_id, partition, offset)
        if self._rows.at([place]):
            return "row of events"
        if self._fate(place) is not None:
            return "dead letter"
        committed = self._tables.committed
        ends = committed.next if committed and committed.topic_id == topic_id else {}
        return "duplicate" if offset < ends.get(partition, 0) else "not ingested yet"


def _places(frame: pl.DataFrame) -> set[Place]:
    return {Place(*row) for row in frame.select(TOPIC, *PLACE).rows()}


def _record(row: dict[str, Any]) -> RawRecord:
    headers: Iterable[dict[str, Any]] = row["headers"] or ()
    return RawRecord(
        partition=row["_topic_partition"],
        offset=row["_offset"],
        record_time=round(row["_record_time"].timestamp() * 1_000_000),
        key=row["record_key"],
        value=row["record_value"],
        headers=tuple((one["key"], one["value"]) for one in headers),
    )
