"""Business rules tried on columns such as ingest judges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import polars as pl
import pyarrow as pa

from pipeline.contract.targets.rules import CompiledRule, polars_type

_VALUES: Mapping[type[pl.DataType], tuple[Any, ...]] = {
    pl.String: ("", "a", "\x00", "\u00e9\U0001f642", "x" * 100_000),
    pl.Boolean: (True, False),
    pl.Int32: (0, -(2**31), 2**31 - 1),
    pl.Int64: (0, -(2**63), 2**63 - 1),
    pl.Float32: (0.0, -0.0, 0.1, float("nan"), float("inf"), float("-inf")),
    pl.Float64: (0.0, -0.0, 0.1, float("nan"), float("inf"), float("-inf"), 1e308),
    pl.Decimal: (Decimal(0),),
    pl.Date: (date(1, 1, 1), date(1970, 1, 1), date(9999, 12, 31)),
    pl.Datetime: (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC)),
    pl.Time: (time(0), time(23, 59, 59, 999_999)),
}
"""Values that a column of a type may hold: ordinary ones, and those at its ends."""


def probe_rule(rule: CompiledRule, type_: pa.DataType) -> Iterator[str]:
    """Yield why the rule cannot judge its column, of `type_`: it fails, skips rows, or nulls break it."""
    for values in ((), (None, None), (None, *_plausible(type_))):
        frame = pl.DataFrame({rule.column: pl.Series(values, dtype=polars_type(type_))})
        try:
            broken = frame.select(rule.broken).to_series()
        except pl.exceptions.PolarsError as error:
            yield str(error).splitlines()[0]
            continue
        if broken.dtype != pl.Boolean or len(broken) != len(values) or broken.null_count():
            yield "it gives no answer for each row"
        elif any(broken[row] for row, value in enumerate(values) if value is None):
            yield "nulls break it"


def _plausible(type_: pa.DataType) -> tuple[Any, ...]:
    kind = polars_type(type_)
    values = _VALUES.get(kind.base_type(), ())
    if pa.types.is_timestamp(type_) and type_.tz is None:
        return tuple(value.replace(tzinfo=None) for value in values)
    if pa.types.is_decimal(type_):
        # As exact as the type, which may have more digits than arithmetic keeps.
        largest = Decimal((0, (9,) * type_.precision, -type_.scale))
        return (*values, largest, largest.copy_negate())
    return values
