"""Which dead letters are meant: filters over their columns, their headers and their values' schema ids."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, NamedTuple

import polars as pl
from pyiceberg.expressions import AlwaysTrue, BooleanExpression, parser

from pipeline.dead_letters.fate import Fate


@dataclass(frozen=True)
class Selection:
    """Filters; what is not given selects all, and all that is given must hold.

    Attributes:
        reasons: of the column `reason`.
        since, until: when they became dead letters: [since, until).
        partition, start, end: offsets [start, end) of one partition.
        producer: the last value of the header `producer`.
        schema_id: the registry's id at the beginning of the value, whatever the value is.
        action_id: what chose them: a replay or a discard.
        fates: what became of them.
    """

    reasons: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    partition: int | None = None
    start: int | None = None
    end: int | None = None
    producer: str | None = None
    schema_id: int | None = None
    action_id: str | None = None
    fates: tuple[Fate, ...] = ()

    def to_json(self) -> str:
        """Return what is given, as the audit keeps it."""
        given = {name: value for name, value in asdict(self).items() if value not in (None, ())}
        return json.dumps(given, default=_text)

    @property
    def contents(self) -> tuple[str, ...]:
        """What of `CONTENTS` has to be read."""
        given = {"producer": self.producer, "schema_id": self.schema_id}
        return tuple(name for name, one in given.items() if one is not None)

    def rows(self) -> BooleanExpression:
        """Return the filter that a scan of the table can apply."""
        parts = []
        if self.reasons:
            parts.append(f"reason in ({', '.join(map(_literal, self.reasons))})")
        if self.since is not None:
            parts.append(f"_ingested_at >= '{self.since.isoformat()}'")
        if self.until is not None:
            parts.append(f"_ingested_at < '{self.until.isoformat()}'")
        if self.partition is not None:
            parts.append(f"_topic_partition = {self.partition}")
        if self.start is not None:
            parts.append(f"_offset >= {self.start}")
        if self.end is not None:
            parts.append(f"_offset < {self.end}")
        return parser.parse(" and ".join(parts)) if parts else AlwaysTrue()

    def of_columns(self) -> pl.Expr:
        """Return the same filter, over a frame of these columns."""
        parts = [pl.lit(value=True)]
        if self.reasons:
            parts.append(pl.col("reason").is_in(self.reasons))
        if self.since is not None:
            parts.append(pl.col("_ingested_at") >= self.since)
        if self.until is not None:
            parts.append(pl.col("_ingested_at") < self.until)
        if self.partition is not None:
            parts.append(pl.col("_topic_partition") == self.partition)
        if self.start is not None:
            parts.append(pl.col("_offset") >= self.start)
        if self.end is not None:
            parts.append(pl.col("_offset") < self.end)
        return pl.all_horizontal(parts)

    def of_contents(self) -> pl.Expr:
        """Return the filter over a frame that has the columns `contents`."""
        parts = [pl.lit(value=True)]
        if self.producer is not None:
            parts.append(pl.col("producer") == self.producer)
        if self.schema_id is not None:
            parts.append(pl.col("schema_id") == self.schema_id)
        return pl.all_horizontal(parts)


def producer_of() -> pl.Expr:
    """Return the last value of the header `producer`, of the column `headers`, as `_producer` of events.

    Null for none; bytes that are not UTF-8 are U+FFFD.
    """
    named = pl.col("headers").list.eval(
        pl.element().struct.field("value").filter(pl.element().struct.field("key") == "producer")
    )
    return named.list.last().map_batches(_texts, return_dtype=pl.String)


def schema_id_of() -> pl.Expr:
    """Return the registry's id that the column `record_value` begins with; null where it has none."""
    value = pl.col("record_value")
    framed = value.bin.starts_with(b"\0") & (value.bin.size() >= 5)
    number = pl.when(framed).then(value.bin.slice(1, 4))
    return number.bin.reinterpret(dtype=pl.UInt32, endianness="big")


def _texts(values: pl.Series) -> pl.Series:
    try:
        return values.cast(pl.String)
    except pl.exceptions.ComputeError:
        decoded = (None if one is None else one.decode("utf-8", "replace") for one in values)
        return pl.Series(values.name, decoded, pl.String)


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


class Content(NamedTuple):
    """What a column of dead letters holds besides, and how it is told."""

    column: str
    value: pl.Expr


CONTENTS = {
    "producer": Content("headers", producer_of()),
    "schema_id": Content("record_value", schema_id_of()),
}
"""What can be told of dead letters by their headers and values."""
