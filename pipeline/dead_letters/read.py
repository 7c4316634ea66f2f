"""Reading dead letters with what became of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl
import pyarrow as pa
from pyiceberg.expressions import AlwaysTrue, BooleanExpression, parser
from pyiceberg.table import Table

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.dead_letters.fate import ORIGIN, with_fates
from pipeline.dead_letters.selection import CONTENTS, Selection
from pipeline.dead_letters.states import KEYS as KEYS
from pipeline.dead_letters.states import TOPIC as TOPIC
from pipeline.dead_letters.store import find_states_table
from pipeline.tables.catalog import load_table
from pipeline.tables.integrity.reading import reading
from pipeline.tables.layout import DEAD_LETTER_STATE_SCHEMA, dead_letters_table, events_table
from pipeline.tables.offsets import CommittedOffsets, committed_offsets

_OF_ALL = (*KEYS, *ORIGIN)
_OF_STATES = (
    *KEYS,
    "state",
    "action_id",
    "at",
    "origin_partition",
    "origin_offset",
    "replayed_partition",
    "replayed_offset",
)
_SHOWN = ("_ingested_at", "_record_time", "reason", "detail")
_ALL = AlwaysTrue()


@dataclass(frozen=True)
class LetterTables:
    """The tables that tell of a product's dead letters, as they were loaded, and where ingest is.

    Attributes:
        states: None where nothing was ever done with a dead letter.
        committed: offsets of events; None before their first commit.
    """

    letters: Table
    states: Table | None
    committed: CommittedOffsets | None

    @property
    def snapshot_id(self) -> int | None:
        """The snapshot of dead letters that is read; None of an empty table."""
        return self.letters.metadata.current_snapshot_id


def load_letter_tables(cell: Cell, product: Product) -> LetterTables:
    """Load them; what arrives afterwards is not seen.

    Raises:
        TableMissingError: the product was never ingested in this cell.
        CatalogUnavailableError, WarehouseUnavailableError: try again later.
    """
    # Before the letters: what ingest has passed by then is among them.
    committed = committed_offsets(load_table(cell, events_table(product.name)))
    letters = load_table(cell, dead_letters_table(product.name))
    return LetterTables(letters, find_states_table(cell, product.name), committed)


def read_letters(
    tables: LetterTables, selection: Selection, contents: Sequence[str] = ()
) -> pl.DataFrame:
    """Return the selected dead letters in the order of topics, partitions and offsets.

    Columns: `_topic_id`, PLACE, ORIGIN, `_ingested_at`, `_record_time`, `reason`, `detail`, `fate`, and of
    `contents` what is asked for: `producer`, `schema_id`. Neither keys nor values, nor headers: about 200
    bytes each, and those of all dead letters are in memory. Headers are read where producers are asked for
    or filtered by, values where schema ids are, and of the selected alone.

    Raises:
        FileMissingError, FileDamagedError, WarehouseUnavailableError: the tables cannot be read.
    """
    known = states(tables)
    found = _fated(tables, _scan(tables.letters, (*_OF_ALL, *_SHOWN)), known)
    found = found.filter(selection.of_columns())
    if selection.action_id is not None:
        chosen = known.filter(pl.col("action_id") == selection.action_id)
        found = found.join(chosen, on=KEYS, how="semi")
    if selection.fates:
        found = found.filter(pl.col("fate").is_in([fate.value for fate in selection.fates]))
    wanted = {*contents, *selection.contents}
    if wanted:
        held = contents_of(tables, selection.rows(), sorted(wanted))
        held = held.filter(selection.of_contents())
        found = found.join(held.select(*KEYS, *contents), on=KEYS, how="inner")
    return found.sort(KEYS)


def contents_of(
    tables: LetterTables, rows: BooleanExpression, contents: Sequence[str]
) -> pl.DataFrame:
    """Return `_topic_id`, PLACE and of `contents` what is asked for, of the rows of a filter.

    Raises: as `read_letters`.
    """
    read = (*KEYS, *(CONTENTS[name].column for name in contents))
    made = [CONTENTS[name].value.alias(name) for name in contents]
    return _scan(tables.letters, read, rows, (*KEYS, *made))


def fates(tables: LetterTables) -> pl.DataFrame:
    """Return `_topic_id`, PLACE, ORIGIN and `fate` of every dead letter.

    Raises: as `read_letters`.
    """
    return _fated(tables, _scan(tables.letters, _OF_ALL), states(tables))


def states(tables: LetterTables, since: datetime | None = None) -> pl.DataFrame:
    """Return the rows of the table of states, without what goes back; from `since` on, if it is given.

    Raises: as `read_letters`.
    """
    if tables.states is None:
        columns = pa.schema([DEAD_LETTER_STATE_SCHEMA.field(name) for name in _OF_STATES])
        return pl.DataFrame(columns.empty_table())
    days = _ALL if since is None else parser.parse(f"at >= '{since.isoformat()}'")
    return _scan(tables.states, _OF_STATES, days)


def _fated(tables: LetterTables, letters: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    letters = letters.with_columns(
        _origin_partition=pl.coalesce("_origin_partition", "_topic_partition"),
        _origin_offset=pl.coalesce("_origin_offset", "_offset"),
    )
    return fates_of(letters, known, tables.committed)


def fates_of(
    letters: pl.DataFrame, known: pl.DataFrame, committed: CommittedOffsets | None
) -> pl.DataFrame:
    """Return dead letters of any topics as `with_fates` does; `known` are rows of states."""
    parts = [
        with_fates(
            part,
            known.filter(pl.col(TOPIC) == topic),
            committed.next if committed is not None and committed.topic_id == topic else {},
        )
        for (topic,), part in letters.partition_by(TOPIC, as_dict=True).items()
    ]
    return pl.concat(parts) if parts else letters.with_columns(fate=pl.lit("open"))


def _scan(
    table: Table,
    columns: tuple[str, ...],
    rows: BooleanExpression = _ALL,
    made: Sequence[str | pl.Expr] | None = None,
) -> pl.DataFrame:
    """Return rows of a table, of each batch `made`; columns that one of an older format lacks are null."""
    held = [name for name in dict.fromkeys(columns) if name in table.schema().column_names]
    lacking = {name: _NULLS.get(name, pl.lit(None)) for name in columns if name not in held}
    frames: list[pl.DataFrame] = []
    with reading(table):
        scan = table.scan(row_filter=rows, selected_fields=tuple(held))
        reader = scan.to_arrow_batch_reader()
        for batch in (*reader, reader.schema.empty_table()):
            frame = pl.DataFrame(pa.table(batch)).with_columns(**lacking)
            frames.append(frame.select(columns if made is None else made))
    return pl.concat(frames)


_NULLS = {"_origin_partition": pl.lit(None, pl.Int32), "_origin_offset": pl.lit(None, pl.Int64)}
