"""Reading dead letters with what became of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl
import pyarrow as pa
from pyiceberg.expressions import BooleanExpression, parser
from pyiceberg.table import Table

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.dead_letters.fate import ORIGIN, PLACE, with_fates
from pipeline.dead_letters.selection import Selection
from pipeline.dead_letters.store import find_states_table
from pipeline.tables.catalog import load_table
from pipeline.tables.integrity.reading import reading
from pipeline.tables.layout import DEAD_LETTER_STATE_SCHEMA, dead_letters_table, events_table
from pipeline.tables.offsets import CommittedOffsets, committed_offsets

TOPIC = "_topic_id"
_OF_ALL = (TOPIC, *PLACE, *ORIGIN)
_OF_STATES = (
    TOPIC,
    *PLACE,
    "state",
    "action_id",
    "origin_partition",
    "origin_offset",
    "replayed_partition",
    "replayed_offset",
)
_SHOWN = ("_ingested_at", "_record_time", "reason", "detail")


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


def read_letters(tables: LetterTables, selection: Selection) -> pl.DataFrame:
    """Return the selected dead letters in the order of topics, partitions and offsets.

    Columns: `_topic_id`, PLACE, ORIGIN, `_ingested_at`, `_record_time`, `reason`, `detail`, `fate`. Neither
    keys nor values, nor headers: about 200 bytes each, and all of them are in memory.

    Raises:
        FileMissingError, FileDamagedError, WarehouseUnavailableError: the tables cannot be read.
    """
    fated = fates(tables)
    frame = _selected(tables.letters, selection)
    keys = [TOPIC, *PLACE]
    found = frame.join(fated, on=keys, how="inner")
    if selection.action_id is not None:
        chosen = states(tables).filter(pl.col("action_id") == selection.action_id)
        found = found.join(chosen.select(keys).unique(), on=keys, how="semi")
    if selection.fates:
        found = found.filter(pl.col("fate").is_in([fate.value for fate in selection.fates]))
    return found.sort(keys)


def fates(tables: LetterTables) -> pl.DataFrame:
    """Return `_topic_id`, PLACE, ORIGIN and `fate` of every dead letter."""
    letters = _scan(tables.letters, _OF_ALL, Selection()).with_columns(
        _origin_partition=pl.coalesce("_origin_partition", "_topic_partition"),
        _origin_offset=pl.coalesce("_origin_offset", "_offset"),
    )
    return fates_of(letters, states(tables), tables.committed)


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


def states(tables: LetterTables, since: datetime | None = None) -> pl.DataFrame:
    """Return the rows of the table of states, without what goes back; from `since` on, if it is given."""
    if tables.states is None:
        columns = pa.schema([DEAD_LETTER_STATE_SCHEMA.field(name) for name in _OF_STATES])
        return pl.DataFrame(columns.empty_table())
    days = None if since is None else parser.parse(f"at >= '{since.isoformat()}'")
    return _scan(tables.states, _OF_STATES, Selection(), days)


def _selected(letters: Table, selection: Selection) -> pl.DataFrame:
    columns = [TOPIC, *PLACE, *_SHOWN]
    extra = []
    if selection.needs_headers:
        columns.append("headers")
        extra.append("headers")
    if selection.needs_values:
        columns.append("record_value")
        extra.append("record_value")
    return _scan(letters, tuple(columns), selection).drop(extra, strict=False)


def _scan(
    table: Table,
    columns: tuple[str, ...],
    selection: Selection,
    rows: BooleanExpression | None = None,
) -> pl.DataFrame:
    """Return rows of a table, or those by `rows`; columns that one of an older format lacks are null."""
    held = [name for name in columns if name in table.schema().column_names]
    filters = selection.rows() if rows is None else rows
    frames: list[pl.DataFrame] = []
    contents = selection.of_contents()
    with reading(table):
        scan = table.scan(row_filter=filters, selected_fields=tuple(held))
        for batch in scan.to_arrow_batch_reader():
            frame = pl.DataFrame(pa.table(batch))
            if selection.needs_headers or selection.needs_values:
                frame = frame.filter(contents).drop("headers", "record_value", strict=False)
            frames.append(frame)
        if not frames:
            frames = [pl.DataFrame(scan.to_arrow().schema.empty_table())]
    lacking = {
        name: pl.lit(None)
        for name in columns
        if name not in held and name not in ("headers", "record_value")
    }
    if "_origin_partition" in lacking:
        lacking |= {
            "_origin_partition": pl.lit(None, pl.Int32),
            "_origin_offset": pl.lit(None, pl.Int64),
        }
    return pl.concat(frames).with_columns(**lacking)
