"""Rows of events and dead letters of a selection, counted by commit, hour and reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

import polars as pl
import pyarrow as pa
from pyiceberg.conversions import from_bytes
from pyiceberg.expressions import AlwaysFalse, AlwaysTrue, And, BooleanExpression, parser
from pyiceberg.table import Table
from pyiceberg.types import LongType

from pipeline.dead_letters.selection import producer_of
from pipeline.dead_letters.states import ORIGIN, PLACE
from pipeline.impact.selection import Selection
from pipeline.tables.integrity.reading import reading

MOST_OFFSET = 2**63 - 2
MOST_RANGES = 64
"""So many ranges of offsets a filter names at most; of more, what lies between is read and left out."""
_ENTRY = ("partition", "start", "end", "snapshot_id")


def rows_held(events: Table, selection: Selection, entries: pl.DataFrame) -> pl.DataFrame:
    """Return `snapshot_id`, `hour`, `partition`, `rows`, `first`, `last` of the selected rows of events.

    Rows are counted by the commit that counts their offset, those of no `entries` under a null; of offsets
    that the selection bounds, only those of `entries`. Read are of main only files whose bounds may hold
    some, and few columns, a batch at a time.

    Raises: as `reading`.
    """
    found = [
        counted(_within(batch, selection), entries)
        for batch in _batches(events, _wanted(selection, entries), (*PLACE, "_event_time"))
    ]
    whole = pl.concat(found)
    if selection.is_by_commit:
        whole = whole.filter(pl.col("snapshot_id").is_not_null())
    return (
        whole.group_by("snapshot_id", "hour", "partition")
        .agg(pl.col("rows").sum(), pl.col("first").min(), pl.col("last").max())
        .sort("hour", "snapshot_id", "partition")
    )


def counted(rows: pl.DataFrame, entries: pl.DataFrame) -> pl.DataFrame:
    """Return rows of PLACE and `_event_time` counted as `rows_held` does, in no order."""
    return (
        _placed(rows, entries)
        .group_by(
            "snapshot_id",
            pl.col("_event_time").dt.truncate("1h").alias("hour"),
            pl.col("_topic_partition").alias("partition"),
        )
        .agg(
            pl.len().alias("rows"),
            pl.col("_offset").min().alias("first"),
            pl.col("_offset").max().alias("last"),
        )
    )


def replays_held(events: Table, selection: Selection, entries: pl.DataFrame) -> pl.DataFrame:
    """Return `_topic_partition`, `_offset` and `_event_time` of rows that replays made of the selection.

    Those of dead letters that stood first where the selection is, and themselves stand elsewhere. Read as by
    `rows_held`.

    Raises: as `reading`.
    """
    columns = (*PLACE, "_event_time")
    has_origin = set(ORIGIN) <= set(events.schema().column_names)
    wanted = _of_places(selection, entries, ORIGIN) if has_origin else AlwaysFalse()
    if selection.columns_filter is not None:
        wanted = And(wanted, parser.parse(selection.columns_filter))
    read = (*columns, *ORIGIN) if has_origin else columns
    found = pl.concat(list(_batches(events, wanted, read)))
    if not has_origin:
        return found
    own = {"_topic_partition": "partition_now", "_offset": "offset_now"}
    first = found.rename({**own, **dict(zip(ORIGIN, PLACE, strict=True))})
    of_selection = _counted_by(_within(first, selection), entries)
    rows = of_selection.select(
        *(pl.col(now).alias(name) for name, now in own.items()), "_event_time"
    )
    return rows.join(_counted_by(_within(rows, selection), entries), on=PLACE, how="anti")


def _counted_by(rows: pl.DataFrame, entries: pl.DataFrame) -> pl.DataFrame:
    """Return those of `rows` whose offset an entry counts."""
    return _placed(rows, entries).filter(pl.col("snapshot_id").is_not_null())


def letters_held(
    letters: Table, selection: Selection, entries: pl.DataFrame
) -> Mapping[tuple[int | None, str], int]:
    """Return (commit of events that counts it, reason) -> dead letters of the selection.

    None are told by a schema version or an event time: these stand in a payload. Reads as `rows_held`;
    headers where a producer is asked for.

    Raises: as `reading`.
    """
    if not selection.is_of_letters:
        return {}
    headers = () if selection.producer is None else ("headers",)
    places = _wanted(Selection(**{**vars(selection), "producer": None}), entries)
    found: dict[tuple[int | None, str], int] = {}
    for batch in _batches(letters, places, (*PLACE, "reason", *headers)):
        rows = _within(batch, selection)
        if selection.producer is not None:
            rows = rows.filter(producer_of() == selection.producer)
        placed = (_counted_by if selection.is_by_commit else _placed)(rows, entries)
        for snapshot_id, reason, count in (
            placed.group_by("snapshot_id", "reason").len().iter_rows()
        ):
            found[snapshot_id, reason] = found.get((snapshot_id, reason), 0) + count
    return found


def offsets_between(events: Table, selection: Selection) -> tuple[int, int] | None:
    """Return the offsets [start, end) between which all rows lie that a selection of event times has.

    Told by files' bounds, none of which is read; of whatever partition. None where there is no such file.
    """
    field_id, long = events.schema().find_field("_offset").field_id, LongType()
    lows: list[int] = []
    highs: list[int] = []
    with reading(events):
        for task in events.scan(selection.columns_filter or AlwaysTrue()).plan_files():
            low = task.file.lower_bounds.get(field_id)
            high = task.file.upper_bounds.get(field_id)
            lows.append(0 if low is None else int(from_bytes(long, low)))
            highs.append(MOST_OFFSET if high is None else int(from_bytes(long, high)))
    return (min(lows), max(highs) + 1) if lows else None


def _wanted(selection: Selection, entries: pl.DataFrame) -> BooleanExpression:
    """Return what bounds can tell of the selected rows: offsets, and what they say of themselves."""
    parts: list[BooleanExpression] = []
    if selection.is_by_commit or selection.partition is not None:
        parts.append(_of_places(selection, entries))
    if selection.columns_filter is not None:
        parts.append(parser.parse(selection.columns_filter))
    wanted: BooleanExpression = AlwaysTrue()
    for part in parts:
        wanted = And(wanted, part)
    return wanted


def _of_places(
    selection: Selection, entries: pl.DataFrame, columns: tuple[str, str] = PLACE
) -> BooleanExpression:
    ranges = merged(entries, selection)
    if len(ranges) > MOST_RANGES:
        ranges = [
            (partition, min(one[1] for one in of), max(one[2] for one in of))
            for partition in sorted({one[0] for one in ranges})
            for of in [[one for one in ranges if one[0] == partition]]
        ]
    if not ranges:
        return AlwaysFalse()
    place, offset = columns
    return parser.parse(
        " or ".join(
            f"({place} = {partition} and {offset} >= {start} and {offset} < {end})"
            for partition, start, end in ranges
        )
    )


def merged(entries: pl.DataFrame, selection: Selection) -> Sequence[tuple[int, int, int]]:
    """Return the (partition, start, end) that entries count of a selection, adjoining ones as one."""
    found: list[tuple[int, int, int]] = []
    for partition, low, high in entries.sort("partition", "start").select(_ENTRY[:3]).iter_rows():
        start = low if selection.start is None else max(low, selection.start)
        end = high if selection.end is None else min(high, selection.end)
        if start >= end:
            continue
        if found and found[-1][0] == partition and found[-1][2] == start:
            found[-1] = (partition, found[-1][1], end)
        else:
            found.append((partition, start, end))
    return found


def _within(rows: pl.DataFrame, selection: Selection) -> pl.DataFrame:
    parts = [pl.lit(value=True)]
    if selection.partition is not None:
        parts.append(pl.col("_topic_partition") == selection.partition)
    if selection.start is not None:
        parts.append(pl.col("_offset") >= selection.start)
    if selection.end is not None:
        parts.append(pl.col("_offset") < selection.end)
    return rows.filter(pl.all_horizontal(parts))


def _placed(rows: pl.DataFrame, entries: pl.DataFrame) -> pl.DataFrame:
    """Return rows with the `snapshot_id` of the commit whose entry has their offset; null where none has."""
    ranges = entries.select(_ENTRY).sort("start").rename({"partition": "_topic_partition"})
    placed = rows.sort("_offset").join_asof(
        ranges, left_on="_offset", right_on="start", by="_topic_partition", check_sortedness=False
    )
    inside = pl.col("_offset") < pl.col("end")
    return placed.with_columns(pl.when(inside).then(pl.col("snapshot_id")).alias("snapshot_id"))


def _batches(
    table: Table, wanted: BooleanExpression, columns: Sequence[str]
) -> Iterator[pl.DataFrame]:
    """Yield the wanted rows, and in the end none of them, so that there is always a frame."""
    with reading(table):
        scan = table.scan(wanted, selected_fields=tuple(columns))
        reader = scan.to_arrow_batch_reader()
        for batch in chain(reader, [reader.schema.empty_table()]):
            yield pl.DataFrame(pa.table(batch)).select(columns)
