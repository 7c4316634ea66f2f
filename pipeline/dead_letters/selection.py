"""Which dead letters are meant: filters over their columns, their headers and their values' schema ids."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

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
    def needs_headers(self) -> bool:
        """Whether headers have to be read."""
        return self.producer is not None

    @property
    def needs_values(self) -> bool:
        """Whether values have to be read."""
        return self.schema_id is not None

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

    def of_contents(self) -> pl.Expr:
        """Return the filter over headers and values, which the columns have to hold where needed."""
        held = pl.lit(value=True)
        if self.producer is not None:
            held &= producer_of() == self.producer
        if self.schema_id is not None:
            held &= schema_id_of() == self.schema_id
        return held


def producer_of() -> pl.Expr:
    """Return the last value of the header `producer`, of the column `headers`; null for none or no UTF-8."""
    named = pl.col("headers").list.eval(
        pl.element().struct.field("value").filter(pl.element().struct.field("key") == "producer")
    )
    return named.list.last().cast(pl.String, strict=False)


def schema_id_of() -> pl.Expr:
    """Return the registry's id that the column `record_value` begins with; null where it has none."""
    value = pl.col("record_value")
    number = value.bin.slice(1, 4).bin.reinterpret(dtype=pl.UInt32, endianness="big")
    framed = value.bin.starts_with(b"\0") & (value.bin.size() >= 5)
    return pl.when(framed).then(number)


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
