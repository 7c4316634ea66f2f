"""The balance of replays: what was claimed, what was sent, and the rows that came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.dead_letters.fate import ORIGIN, LetterState
from pipeline.dead_letters.read import TOPIC, fates, load_letter_tables, states
from pipeline.rows.frames import to_frame
from pipeline.tables.catalog import load_table
from pipeline.tables.integrity.reading import reading
from pipeline.tables.layout import events_table


@dataclass(frozen=True)
class ReplayBalance:
    """What became of all dead letters.

    Attributes:
        by_fate: fate -> dead letters; together all that there are.
        rows: of events that a replay brought.
        problems: what does not agree.
    """

    by_fate: Mapping[str, int]
    rows: int
    problems: tuple[str, ...]


def balance_replays(cell: Cell, product: Product) -> ReplayBalance:
    """Compare the rows that say a replay brought them with what replays have claimed.

    No origin is a row twice, and none is a row that no replay has claimed. That each record that was sent
    is a row, a dead letter or a duplicate is told by the ledger's own recount, as of every record.

    Raises:
        TableMissingError: the product was never ingested in this cell.
        FileMissingError, FileDamagedError, WarehouseUnavailableError: the tables cannot be read.
    """
    tables = load_letter_tables(cell, product)
    claimed = states(tables).filter(pl.col("state") == LetterState.CLAIMED.value)
    origins = claimed.select(
        TOPIC, pl.col("origin_partition").alias(ORIGIN[0]), pl.col("origin_offset").alias(ORIGIN[1])
    ).unique()
    rows = _replayed(cell, product)
    problems: list[str] = []
    if doubled := len(rows) - rows.select(TOPIC, *ORIGIN).n_unique():
        problems.append(f"{doubled} replayed records are rows more than once")
    if unclaimed := len(rows.join(origins, on=[TOPIC, *ORIGIN], how="anti")):
        problems.append(f"{unclaimed} rows say that a replay brought them which nobody has claimed")
    counts = dict(fates(tables).get_column("fate").value_counts().iter_rows())
    return ReplayBalance(counts, len(rows), tuple(problems))


def _replayed(cell: Cell, product: Product) -> pl.DataFrame:
    events = load_table(cell, events_table(product.name))
    if ORIGIN[0] not in events.schema().column_names:
        return pl.DataFrame(schema={TOPIC: pl.String, ORIGIN[0]: pl.Int32, ORIGIN[1]: pl.Int64})
    with reading(events):
        scan = events.scan("_origin_offset is not null", selected_fields=(TOPIC, *ORIGIN))
        return to_frame(scan.to_arrow()).with_columns(pl.col(TOPIC).cast(pl.String))
