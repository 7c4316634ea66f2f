"""One dead letter: all that the tables say of it and of what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl
from pyiceberg.table import Table

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.dead_letters.fate import Fate, LetterState
from pipeline.dead_letters.read import KEYS, TOPIC, LetterTables, read_letters, states
from pipeline.dead_letters.selection import Selection
from pipeline.errors import TerminalError
from pipeline.kafka.records import RawRecord
from pipeline.ledger.archived import Archive
from pipeline.ledger.lines import Line, lines_of
from pipeline.tables.catalog import load_table
from pipeline.tables.integrity.reading import reading
from pipeline.tables.layout import events_table
from pipeline.tables.snapshots import main_history


class LetterNotFoundError(TerminalError):
    """There is no dead letter at these coordinates."""


@dataclass(frozen=True)
class Step:
    """One row of the table of states, and what is where its record was sent.

    Attributes:
        state, at, action_id: as the table has them.
        partition, offset: where the record was sent; None of what was not.
        found: what is there: `row of events`, `dead letter`, `duplicate`, `not ingested yet`; empty of what
            was not sent.
    """

    state: str
    at: datetime
    action_id: str
    partition: int | None
    offset: int | None
    found: str


@dataclass(frozen=True)
class Letter:
    """A dead letter.

    Attributes:
        topic_id, run_id, ingested_at, reason, detail: as the table has them.
        record: its own key, value and headers, and where it stood.
        origin: partition and offset where its record stood first.
        replay_id: what replayed it; None of what no replay brought.
        line: the entry of the ledger that its offset is counted in; None where none is kept.
        steps: what was done with it, oldest first.
    """

    topic: str
    topic_id: str
    record: RawRecord
    ingested_at: datetime
    run_id: str
    reason: str
    detail: str
    origin: tuple[int, int]
    replay_id: str | None
    fate: Fate
    line: Line | None
    steps: tuple[Step, ...]


def read_letter(
    cell: Cell, product: Product, tables: LetterTables, partition: int, offset: int
) -> Letter:
    """Return the dead letter at coordinates of the product's topic; of topics of one name the newest's.

    Raises:
        LetterNotFoundError: there is none.
        Others: as `read_letters`, and as `load_table`.
    """
    here = Selection(partition=partition, start=offset, end=offset + 1)
    found = read_letters(tables, here).sort("_ingested_at")
    if found.is_empty():
        raise LetterNotFoundError(
            "there is no such dead letter.",
            subject=f"{product.name}/{cell.name} partition {partition} offset {offset}",
            remedy=f"`headwater dead-letters list {product.name} --cell {cell.name}` lists them.",
        )
    told = found.row(-1, named=True)
    (row,) = _rows(tables.letters, told[TOPIC], partition, offset)
    events = load_table(cell, events_table(product.name))
    return Letter(
        topic=row["_topic"],
        topic_id=row[TOPIC],
        record=_record(row),
        ingested_at=row["_ingested_at"],
        run_id=row["_run_id"],
        reason=row["reason"],
        detail=row["detail"],
        origin=(told["_origin_partition"], told["_origin_offset"]),
        replay_id=row.get("_replay_id"),
        fate=Fate(told["fate"]),
        line=_line(cell, product, events, partition, offset) if _is_current(tables, told) else None,
        steps=_steps(tables, events, told),
    )


def _is_current(tables: LetterTables, told: dict[str, Any]) -> bool:
    return tables.committed is not None and tables.committed.topic_id == told[TOPIC]


def _record(row: dict[str, Any]) -> RawRecord:
    headers = row["headers"] or []
    return RawRecord(
        partition=row["_topic_partition"],
        offset=row["_offset"],
        record_time=round(row["_record_time"].timestamp() * 1_000_000),
        key=row["record_key"],
        value=row["record_value"],
        headers=tuple((one["key"], one["value"]) for one in headers),
    )


def _steps(tables: LetterTables, events: Table, told: dict[str, Any]) -> tuple[Step, ...]:
    own = pl.all_horizontal(pl.col(name) == told[name] for name in KEYS)
    order = {state.value: number for number, state in enumerate(LetterState)}
    rows = states(tables).filter(own).to_dicts()
    rows.sort(key=lambda row: (row["at"], order.get(row["state"], 0)))
    return tuple(
        Step(
            row["state"],
            row["at"],
            row["action_id"],
            row["replayed_partition"],
            row["replayed_offset"],
            _found(tables, events, told[TOPIC], row["replayed_partition"], row["replayed_offset"]),
        )
        for row in rows
    )


def _found(
    tables: LetterTables, events: Table, topic_id: str, partition: int | None, offset: int | None
) -> str:
    if partition is None or offset is None:
        return ""
    if _rows(events, topic_id, partition, offset, ("_offset",)):
        return "row of events"
    if _rows(tables.letters, topic_id, partition, offset, ("_offset",)):
        return "dead letter"
    committed = tables.committed
    ends = committed.next if committed and committed.topic_id == topic_id else {}
    return "duplicate" if offset < ends.get(partition, 0) else "not ingested yet"


def _rows(
    table: Table, topic_id: str, partition: int, offset: int, columns: Sequence[str] = ("*",)
) -> list[dict[str, Any]]:
    here = f"_topic_id = '{topic_id}' and _topic_partition = {partition} and _offset = {offset}"
    with reading(table):
        found = table.scan(here, selected_fields=tuple(columns)).to_arrow()
    return found.to_pylist()  # type: ignore[no-any-return]


def _line(cell: Cell, product: Product, events: Table, partition: int, offset: int) -> Line | None:
    """Return the entry of the ledger that counts an offset."""
    lines = (line for snapshot in main_history(events) for line in lines_of(snapshot))
    return _counting(lines, partition, offset) or _counting(
        Archive.load(cell, product.name).lines(after=0), partition, offset
    )


def _counting(lines: Iterable[Line], partition: int, offset: int) -> Line | None:
    held = (
        line
        for line in lines
        if line.entry.partition == partition and line.entry.start <= offset < line.entry.end
    )
    return next(held, None)
