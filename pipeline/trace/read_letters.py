"""One dead letter whole: what its row says, what became of it, and whether it is the event's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC
from typing import Any

import polars as pl

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.dead_letters.fate import ORIGIN, Fate, LetterState
from pipeline.dead_letters.look.letter import Step
from pipeline.dead_letters.look.masking import Mask
from pipeline.dead_letters.read import KEYS, LetterTables, states
from pipeline.kafka.identity import TopicIdentity
from pipeline.kafka.records import RawRecord
from pipeline.tables.data_files.live import LiveFile
from pipeline.tables.integrity.reading import reading
from pipeline.tables.layout import DEAD_LETTER_SCHEMA
from pipeline.trace.commits import Commits
from pipeline.trace.find_rows import RowFinder
from pipeline.trace.model import DeadLetter, Match, Place
from pipeline.trace.open_records import RecordJudge, headers_of
from pipeline.trace.parquet import parquet_files


class LetterReader:
    """Reads dead letters of the tables as they were loaded, what is personal masked."""

    def __init__(
        self,
        cell: Cell,
        product: Product,
        tables: LetterTables,
        fated: pl.DataFrame,
        files: Sequence[LiveFile],
        rows: RowFinder,
        commits: Commits,
    ) -> None:
        """`fated` are the letters as `fates` gives them, `files` those of their table."""
        self._cell = cell
        self._product = product
        self._tables = tables
        self._fated = fated
        self._files = files
        self._rows = rows
        self._commits = commits
        self._mask = Mask(product)
        self._states = states(tables)

    def judge(self, uuid: str, origins: frozenset[Place]) -> RecordJudge:
        """Return what tells whether a record is the event's."""
        return RecordJudge(self._cell, self._product, uuid, origins)

    def read(self, place: Place, match: Match | RecordJudge) -> DeadLetter | None:
        """Return the dead letter at a place; None if it is not the event's, as a judge has it.

        Raises: as `reading`.
        """
        told, row = self._fate(place), self._row(place)
        if told is None or row is None:
            return None
        record, committed = _record(row), self._tables.committed
        cluster = "" if committed is None else committed.cluster_id
        topic = TopicIdentity(cluster, row["_topic"], place.topic_id, ())
        judged = match if isinstance(match, Match) else match.judge(record, topic)
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

    def _row(self, place: Place) -> dict[str, Any] | None:
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
        rows = self._states.filter(own).to_dicts()
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
