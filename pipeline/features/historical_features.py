"""Training rows with the feature values that were known at their time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import polars as pl

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.features.history import columns_of, open_history, read_history
from pipeline.features.plan import HistoryPlan, Span, plan_history
from pipeline.features.point_in_time import entity_keys, point_in_time_join
from pipeline.features.times import AT_EVENT_TIME, UTC_MICROS, KnownAt, instants

PROGRESS_ROWS = 1_000_000
"""The caller hears of progress after so many rows."""


def get_historical_features(
    cell: Cell,
    product: Product,
    table: str,
    spine: pl.DataFrame,
    *,
    timestamp: str,
    known_at: KnownAt = AT_EVENT_TIME,
    features: Sequence[str] | None = None,
    prefix: str = "",
    say: Callable[[str], None] = lambda _: None,
) -> pl.DataFrame:
    """Return the spine with the values of a feature table as they were known at each row's time.

    A row of the spine is about an entity (the columns that the contract names), at the event time in its
    column `timestamp`; it may know what was published by `known_at`, its own event time by default. It
    gets the newest values of its entity that are of a time <= its event time, younger than the
    contract's ttl, and known by then; where an hour was published again by then, those of the last
    publication. Values published later never have any influence.

    The result has the spine's rows in its order and its columns as they were, then `features` (all by
    default), `feature_time` and `known_from`, each named with `prefix` before it; nulls where nothing was
    known. What an earlier call returned, the same call returns again, if its times lay before the
    earlier call by longer than a publication takes to be recorded. Reads only; memory holds spine,
    result, and the history of the spine's entities in its hours. `say` is told of progress in words.

    Raises:
        NotAFeatureTableError, FeatureNotBuiltError, UnknownFeatureError: the contract, or the cell, has no
            such thing.
        EntityMissingError, EntityTypeError, TimeInvalidError, ColumnCollisionError: the spine does not fit.
        CatalogUnavailableError, WarehouseUnavailableError: try again later.
    """
    at, known, plan, types = _prepare(cell, product, table, spine, timestamp, known_at, features)
    keys = entity_keys(spine, types, plan.entity)
    say(f"reading {plan.table}")
    history = read_history(
        cell, product, plan, keys.unique(), _every(lambda n: say(f"read {n:,} rows of history"))
    )
    say(f"{len(history):,} rows of history are about the spine's entities")
    return point_in_time_join(
        spine,
        history,
        entity=plan.entity,
        timestamp=at,
        known_at=known,
        ttl=plan.ttl,
        prefix=prefix,
        on_rows=lambda done: say(f"joined {done:,} of {len(spine):,} rows"),
    )


def plan_historical_features(
    cell: Cell,
    product: Product,
    table: str,
    spine: pl.DataFrame,
    *,
    timestamp: str,
    known_at: KnownAt = AT_EVENT_TIME,
    features: Sequence[str] | None = None,
) -> HistoryPlan:
    """Return what `get_historical_features` would read; reads no data itself.

    Raises what `get_historical_features` does, collisions of columns aside.
    """
    return _prepare(cell, product, table, spine, timestamp, known_at, features)[2]


def _prepare(
    cell: Cell,
    product: Product,
    table: str,
    spine: pl.DataFrame,
    timestamp: str,
    known_at: KnownAt,
    features: Sequence[str] | None,
) -> tuple[pl.Series, pl.Series, HistoryPlan, pl.Schema]:
    types = columns_of(open_history(cell, product, table))
    at = instants(spine, timestamp)
    if known_at.column is not None:
        known = instants(spine, known_at.column)
    elif known_at.instant is not None:
        known = pl.repeat(known_at.instant, len(spine), dtype=UTC_MICROS, eager=True)
    else:
        known = at
    span = Span(tuple(spine.columns), len(spine), *_bounds(at), _bounds(known)[1])
    return at, known, plan_history(product, table, span, types.names(), features), types


def _bounds(times: pl.Series) -> tuple[datetime | None, datetime | None]:
    first, last = times.min(), times.max()
    if isinstance(first, datetime) and isinstance(last, datetime):
        return first, last
    return None, None


def _every(tell: Callable[[int], None]) -> Callable[[int], None]:
    reported = 0

    def hear(rows: int) -> None:
        nonlocal reported
        if rows - reported >= PROGRESS_ROWS:
            reported = rows
            tell(rows)

    return hear
