"""What a point-in-time join reads: a pure function of the contract, the spine's span and the history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pipeline.clock import HOUR, hour_of
from pipeline.config.nearest import meant
from pipeline.contract.model import DerivedTable, Product
from pipeline.errors import TerminalError
from pipeline.features.point_in_time import MARKS
from pipeline.tables.layout import history_table

EARLIEST = datetime.min.replace(tzinfo=UTC)


class NotAFeatureTableError(TerminalError):
    """The product has no such table, or its contract does not make it a feature table."""


class UnknownFeatureError(TerminalError):
    """A feature was asked for that the history does not hold."""


class EntityMissingError(TerminalError):
    """The spine lacks columns that say whom its rows are about."""


@dataclass(frozen=True)
class Span:
    """What a plan needs to know of a spine.

    Attributes:
        columns: its columns' names.
        rows: how many rows it has.
        first, last: its earliest and latest event time; None where it has none.
        known_through: the latest time as of which one of its rows may know; None where there is none.
    """

    columns: tuple[str, ...]
    rows: int
    first: datetime | None
    last: datetime | None
    known_through: datetime | None


@dataclass(frozen=True)
class HistoryPlan:
    """Which part of a history is read for a spine.

    Attributes:
        table: the history's identifier.
        entity, features: the columns that are read, beside `hour` and `build`.
        ttl: how long after its time a value holds.
        spine_rows: rows to be given values.
        first_hour, last_hour: the hours that are read, both inclusive; None where nothing is.
        known_through: no build published later is read.
    """

    table: str
    entity: tuple[str, ...]
    features: tuple[str, ...]
    ttl: timedelta
    spine_rows: int
    first_hour: datetime | None
    last_hour: datetime | None
    known_through: datetime | None


def feature_table(product: Product, table: str) -> DerivedTable:
    """Return the product's feature table of that name.

    Raises:
        NotAFeatureTableError: there is none.
    """
    features = {one.name: one for one in product.derived_tables if one.feature is not None}
    if table in features:
        return features[table]
    is_other = any(one.name == table for one in product.derived_tables)
    raise NotAFeatureTableError(
        "its contract does not make it a feature table." if is_other else "there is no such table.",
        subject=f"{product.name}.{table}",
        remedy=f"{meant(table, features)}Feature tables of {product.name}: {', '.join(features) or 'none'}.",
    )


def plan_history(
    product: Product,
    table: str,
    span: Span,
    held: Sequence[str],
    chosen: Sequence[str] | None = None,
) -> HistoryPlan:
    """Return what is to be read of a feature table's history, which has the columns `held`.

    `chosen` are the features wanted, in their order; None is all that contract and history both have.

    Raises:
        NotAFeatureTableError, UnknownFeatureError, EntityMissingError.
    """
    derived_table = feature_table(product, table)
    feature = derived_table.feature
    if feature is None:
        raise TypeError("a feature table has a feature")
    missing = [name for name in feature.entity if name not in span.columns]
    if missing:
        raise EntityMissingError(
            f"it has no column {', '.join(missing)}.",
            subject="spine",
            remedy=f"{table} is about {', '.join(feature.entity)}; give them all.",
        )
    ttl = timedelta(seconds=feature.ttl_s)
    first_hour, last_hour = _hours(span, ttl)
    return HistoryPlan(
        table=history_table(product.name, table),
        entity=feature.entity,
        features=_features(derived_table, feature.entity, held, chosen),
        ttl=ttl,
        spine_rows=span.rows,
        first_hour=first_hour,
        last_hour=last_hour,
        known_through=span.known_through,
    )


def _hours(span: Span, ttl: timedelta) -> tuple[datetime | None, datetime | None]:
    if span.first is None or span.last is None or span.known_through is None:
        return None, None
    reach = ttl + HOUR
    # Of hours that begin after `first - ttl - 1 h`: a value of the end of that very one is too old.
    begin = hour_of(span.first - reach) + HOUR if span.first - EARLIEST > reach else EARLIEST
    return begin, hour_of(span.last - HOUR)


def _features(
    derived_table: DerivedTable,
    entity: Sequence[str],
    held: Sequence[str],
    chosen: Sequence[str] | None,
) -> tuple[str, ...]:
    there = [
        column.name
        for column in derived_table.columns
        if column.name in held and column.name not in (*entity, *MARKS)
    ]
    unknown = [name for name in chosen or () if name not in there]
    if unknown:
        raise UnknownFeatureError(
            f"it has no feature {', '.join(unknown)}.",
            subject=f"feature table {derived_table.name}",
            remedy=f"Features that were built: {', '.join(there)}.",
        )
    return tuple(there if chosen is None else dict.fromkeys(chosen))
