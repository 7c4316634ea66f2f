"""Gathering what there is to know of one event."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from pipeline.cells import Cell
from pipeline.clock import Clock, utc_now
from pipeline.contract.model import Product
from pipeline.control.alerts import AlertKind, read_alerts
from pipeline.control.publications import HourSpan, read_recorded
from pipeline.ledger.archived import Archive
from pipeline.ledger.retention import retention_account
from pipeline.tables.catalog import find_table, load_table, open_catalog
from pipeline.tables.layout import dead_letters_table, events_table, table_changes_table
from pipeline.tables.offsets import committed_offsets
from pipeline.tables.snapshots import total_records
from pipeline.trace.assemble import assemble
from pipeline.trace.commits import Commits
from pipeline.trace.duplicates import NEAR, Limits, Range, dropped_ranges
from pipeline.trace.find_rows import RowFinder
from pipeline.trace.model import DeadLetter, Facts, Place, Reached, Row, Search, Trace
from pipeline.trace.reach import reach, reached

if TYPE_CHECKING:
    from pipeline.dead_letters.store import Action


def trace_event(
    cell: Cell, product: Product, uuid: str, limits: Limits = NEAR, *, clock: Clock = utc_now
) -> Trace:
    """Return the life of the event of a uuid in one product and cell, told without any of its values.

    Its rows and dead letters are found whatever their age. Copies that were dropped as duplicates are
    looked for in Kafka, within `limits` and as long as Kafka has them: the trace says what was looked at and
    what was not. So is what is not ingested yet, of an event of which nothing else is found. That Kafka or
    the registry cannot be asked is told, and no error. NOT found: a dead letter whose bytes have its uuid in
    another form than as text or in sixteen bytes, and rows that retention has deleted once no snapshot has
    them.

    Raises:
        TableMissingError: the product was never ingested in this cell.
        FileMissingError, FileDamagedError: with the file.
        CatalogUnavailableError, WarehouseUnavailableError: try again later.
    """
    return _Tracer(cell, product, uuid, limits, clock()).trace()


class _Tracer:
    def __init__(
        self, cell: Cell, product: Product, uuid: str, limits: Limits, now: datetime
    ) -> None:
        self._cell = cell
        self._product = product
        self._uuid = uuid
        self._limits = limits
        self._now = now
        # Before the letters: what ingest has passed by then is among them.
        self._events = load_table(cell, events_table(product.name))
        self._committed = committed_offsets(self._events)
        changes = find_table(open_catalog(cell), table_changes_table(product.name))
        self._commits = Commits(self._events, changes, Archive.load(cell, product.name))
        topic_id = None if self._committed is None else self._committed.topic_id
        self._rows = RowFinder(self._events, self._commits, topic_id)

    def trace(self) -> Trace:
        rows = self._rows.of_uuid(self._uuid)
        letters = self._letters(frozenset(row.origin for row in rows if row.origin is not None))
        rows = (*rows, *self._brought(letters, rows))
        if not rows:
            rows = self._rows.deleted(self._uuid)
        committed = self._committed
        facts = Facts(
            self._product.name,
            self._cell.name,
            self._uuid,
            self._now,
            {} if committed is None else committed.next,
            retention_account(self._events),
            rows,
            letters,
            reached={row.place: self._reached(row) for row in rows},
            actions=self._actions(rows, letters),
        )
        return assemble(replace(facts, search=self._search(rows, letters)))

    def _letters(self, origins: frozenset[Place]) -> tuple[DeadLetter, ...]:
        table = find_table(open_catalog(self._cell), dead_letters_table(self._product.name))
        if table is None or not total_records(table):
            return ()
        from pipeline.tables.data_files.live import live_files
        from pipeline.trace.letter_bytes import letters_holding, may_be_of_coordinates
        from pipeline.trace.needles import Needles

        files = live_files(table)
        holding = letters_holding(table, files, Needles.of(self._uuid, origins))
        if not holding and not origins and not may_be_of_coordinates(self._product, self._uuid):
            return ()
        from pipeline.dead_letters.read import LetterTables
        from pipeline.dead_letters.store import find_states_table
        from pipeline.trace.find_letters import LetterFinder

        states = find_states_table(self._cell, self._product.name)
        tables = LetterTables(table, states, self._committed)
        finder = LetterFinder(self._cell, self._product, tables, files, self._rows, self._commits)
        return finder.find(self._uuid, origins, holding)

    def _brought(self, letters: Iterable[DeadLetter], rows: Iterable[Row]) -> tuple[Row, ...]:
        """Return the rows that replays of letters became, but for `rows`: mended, some have other uuids."""
        known = {row.place for row in rows}
        places = {
            Place(letter.place.topic_id, step.partition, step.offset)
            for letter in letters
            for step in letter.steps
            if step.partition is not None and step.offset is not None
        }
        return self._rows.at(sorted(places - known))

    def _search(self, rows: tuple[Row, ...], letters: tuple[DeadLetter, ...]) -> Search:
        committed = self._committed
        if committed is None:
            return Search()
        ranges = self._dropped(rows)
        if (rows or letters) and not ranges:
            return Search()
        from pipeline.trace.needles import Needles
        from pipeline.trace.open_records import RecordJudge
        from pipeline.trace.search_kafka import KafkaSearch

        origins = frozenset(
            {row.origin for row in rows if row.origin is not None}
            | {letter.origin for letter in letters}
        )
        places = [*(row.place for row in rows), *(letter.place for letter in letters)]
        search = KafkaSearch(
            self._cell,
            committed,
            Needles.of(self._uuid, origins),
            RecordJudge(self._cell, self._product, self._uuid, origins),
            {(one.partition, one.offset) for one in places if one.topic_id == committed.topic_id},
            self._limits,
        )
        return search.dropped(ranges) if ranges else search.waiting()

    def _dropped(self, rows: Iterable[Row]) -> tuple[Range, ...]:
        """Return where copies of the rows may have been dropped, nearest first."""
        counted = [row for row in rows if row.commit is not None]
        if not counted:
            return ()
        first = min(row.commit.sequence_number for row in counted if row.commit is not None)
        commits = self._commits.with_duplicates(first)
        ranges = [one for row in counted for one in dropped_ranges(row, commits)]
        return tuple({(one.partition, one.start, one.end): one for one in ranges}.values())

    def _reached(self, row: Row) -> tuple[Reached, ...]:
        hour = row.event_time.replace(minute=0, second=0, microsecond=0)
        reaches = reach(self._product, hour)
        if not reaches:
            return ()
        first, last = (choose(one.hour for one in reaches) for choose in (min, max))
        found = read_recorded(self._cell, self._product.name, HourSpan(first, last)).publications
        numbers: Mapping[int, int] = self._commits.sequence_numbers(
            {one.source_snapshot_id for one in found}
        )
        alerts = [
            one
            for one in read_alerts(self._cell, self._product.name, first_hour=first)
            if one.hour <= last and one.kind == AlertKind.AUDIT_FAILED
        ]
        number = None if row.commit is None else row.commit.sequence_number
        return reached(self._product, reaches, number, found, numbers, alerts)

    def _actions(self, rows: Iterable[Row], letters: Iterable[DeadLetter]) -> tuple[Action, ...]:
        wanted = {row.replay_id for row in rows} | {letter.replay_id for letter in letters}
        wanted |= {step.action_id for letter in letters for step in letter.steps}
        wanted.discard(None)
        if not wanted:
            return ()
        from pipeline.dead_letters.look.audit import read_actions

        found = read_actions(self._cell, self._product)
        return tuple(one for one in found if one.action_id in wanted)


def has_events(cell: Cell, product: str) -> bool:
    """Whether the product was ever ingested in the cell.

    Raises: as `find_table`.
    """
    return find_table(open_catalog(cell), events_table(product)) is not None
