"""The newest of some dead letters, and how many there are of each kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl
from pyiceberg.expressions import BooleanExpression, parser

from pipeline.dead_letters.read import KEYS, LetterTables, contents_of, read_letters
from pipeline.dead_letters.selection import CONTENTS, Selection

GROUPS = {
    "fate": "fate",
    "reason": "reason",
    "producer": "producer",
    "schema-id": "schema_id",
    "hour": "hour",
}
"""What dead letters are counted by -> the column."""


@dataclass(frozen=True)
class Listing:
    """Some dead letters.

    Attributes:
        letters: as `read_letters` gives them, with `producer` and `schema_id`; the newest last.
        selected: how many there are.
    """

    letters: pl.DataFrame
    selected: int


def list_letters(tables: LetterTables, selection: Selection, limit: int) -> Listing:
    """Return the `limit` newest of the selected. Of no other are headers and value read.

    Raises: as `read_letters`.
    """
    found = read_letters(tables, selection)
    shown = found.sort("_ingested_at", maintain_order=True).tail(limit)
    if shown.is_empty():
        contents = pl.DataFrame(schema={name: found.schema[name] for name in KEYS})
        contents = contents.with_columns(
            producer=pl.lit(None, pl.String), schema_id=pl.lit(None, pl.UInt32)
        )
    else:
        contents = contents_of(tables, _around(shown), tuple(CONTENTS))
    shown = shown.join(contents, on=KEYS, how="left", maintain_order="left")
    return Listing(shown, found.height)


def count_letters(
    tables: LetterTables, selection: Selection, groups: Sequence[str]
) -> Mapping[str, pl.DataFrame]:
    """Return how many of the selected there are by each of some `GROUPS`.

    Each has the group's column and `dead_letters`, most first; hours (of ingest) the earliest first. One
    without a producer or a schema id counts under null.

    Raises: as `read_letters`.
    """
    columns = {by: GROUPS[by] for by in groups}
    wanted = [column for column in columns.values() if column in CONTENTS]
    found = read_letters(tables, selection, wanted)
    found = found.with_columns(hour=pl.col("_ingested_at").dt.truncate("1h"))
    return {by: _counted(found, column) for by, column in columns.items()}


def _counted(letters: pl.DataFrame, column: str) -> pl.DataFrame:
    counts = letters.group_by(column).agg(dead_letters=pl.len())
    if column == "hour":
        return counts.sort(column)
    return counts.sort(["dead_letters", column], descending=[True, False])


def _around(letters: pl.DataFrame) -> BooleanExpression:
    """Return a filter that holds for all of `letters`, and for few others."""
    ends = letters.select(
        first=pl.col("_ingested_at").min(),
        last=pl.col("_ingested_at").max(),
        start=pl.col("_offset").min(),
        end=pl.col("_offset").max(),
    ).row(0, named=True)
    return parser.parse(
        f"_ingested_at >= '{ends['first'].isoformat()}' and _ingested_at <= '{ends['last'].isoformat()}' "
        f"and _offset >= {ends['start']} and _offset <= {ends['end']}"
    )
