"""Dead letters of the last days, read from the files of those days alone."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from pipeline.dead_letters.fate import ORIGIN, PLACE
from pipeline.dead_letters.read import TOPIC, LetterTables, fates_of, states
from pipeline.rows.frames import to_frame
from pipeline.tables.integrity.reading import reading

_SHOWN = ("_ingested_at", "reason", "detail")


def recent_letters(tables: LetterTables, since: datetime) -> pl.DataFrame:
    """Return the dead letters from `since` on in the order of topics, partitions and offsets.

    Columns: `_topic_id`, PLACE, ORIGIN, `_ingested_at`, `reason`, `detail`, `fate`. A dead letter whose twin
    is older is told as open, though that one stands for it: NOT looked at is what lies before `since`.

    Raises: as `read_letters`.
    """
    table = tables.letters
    days = f"_ingested_at >= '{since.isoformat()}'"
    wanted = (TOPIC, *PLACE, *ORIGIN, *_SHOWN)
    held = tuple(name for name in wanted if name in table.schema().column_names)
    with reading(table):
        rows = to_frame(table.scan(days, selected_fields=held).to_arrow())
    if ORIGIN[0] not in held:
        # Tables of older formats know of no origins.
        kinds = (pl.Int32, pl.Int64)
        rows = rows.with_columns(
            pl.lit(None, kind).alias(name) for name, kind in zip(ORIGIN, kinds, strict=True)
        )
    letters = rows.select(wanted).with_columns(
        _origin_partition=pl.coalesce("_origin_partition", "_topic_partition"),
        _origin_offset=pl.coalesce("_origin_offset", "_offset"),
    )
    return fates_of(letters, states(tables, since), tables.committed).sort(TOPIC, *PLACE)
