"""Reading what a topic of dead letters is fed from: their places first, and those that are sent whole."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import polars as pl
from pyiceberg.expressions import AlwaysTrue, And, BooleanExpression, parser
from pyiceberg.table import Table

from pipeline.dead_letters.outbox.chunks import chunks
from pipeline.dead_letters.read import KEYS
from pipeline.dead_letters.topic.plan import LETTER
from pipeline.rows.frames import to_frame
from pipeline.tables.integrity.reading import reading

_CONTENTS = ("_record_time", "reason", "detail", "record_key", "record_value", "headers")


def letters_since(table: Table, since: datetime | None) -> pl.DataFrame:
    """Return the dead letters from `since` on, all for None: LETTER. Files of those days are read.

    Raises: as `reading`.
    """
    held = [name for name in LETTER if name in table.schema().column_names]
    # Tables of older formats know of no origins.
    lacking = [pl.lit(None, LETTER[name]).alias(name) for name in LETTER if name not in held]
    with reading(table):
        rows = table.scan(
            AlwaysTrue() if since is None else _since(since), selected_fields=tuple(held)
        ).to_arrow()
    return (
        to_frame(rows)
        .with_columns(lacking)
        .with_columns(
            _origin_partition=pl.coalesce("_origin_partition", "_topic_partition"),
            _origin_offset=pl.coalesce("_origin_offset", "_offset"),
        )
        .select(pl.col(name).cast(kind) for name, kind in LETTER.items())
    )


def whole_letters(table: Table, wanted: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Yield the dead letters that are `wanted` (LETTER) with their contents, some at a time.

    Files of the days between the first and the last of them are read.

    Raises: as `chunks`.
    """
    if wanted.is_empty():
        return
    first, last = wanted.select(
        pl.col("_ingested_at").min(), pl.col("_ingested_at").max().alias("last")
    ).row(0)
    days = And(_since(first), parser.parse(f"_ingested_at <= '{last.isoformat()}'"))
    for rows in chunks(table, days, wanted):
        contents = to_frame(rows.select([*KEYS, *_CONTENTS]))
        yield contents.join(wanted, on=KEYS, how="inner")


def _since(since: datetime) -> BooleanExpression:
    return parser.parse(f"_ingested_at >= '{since.isoformat()}'")
