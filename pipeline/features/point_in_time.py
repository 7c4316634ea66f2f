"""The point-in-time join: feature values by event time and by the time they were known from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from pipeline.errors import TerminalError
from pipeline.features.min_tree import MinTree
from pipeline.tables.layout import BUILD_COLUMN as BUILD
from pipeline.tables.layout import FEATURE_TIME_COLUMN as FEATURE_TIME
from pipeline.tables.layout import KNOWN_FROM_COLUMN as KNOWN_FROM

MARKS = (FEATURE_TIME, KNOWN_FROM, BUILD)
"""What a row of history says of itself, beside its entity and its features."""

SLICE_ROWS = 1 << 18
"""Rows of the spine in work at a time: what is held beyond spine, history and result is theirs."""

Instants = npt.NDArray[np.int64]
"""Microseconds since the epoch, UTC."""

_CODE, _VERSION, _KEY, _ROW = "\0code", "\0version", "\0key", "\0row"
_UTC = pl.Datetime("us", "UTC")


class EntityTypeError(TerminalError):
    """An entity column of the spine cannot be compared with that of the history."""


class ColumnCollisionError(TerminalError):
    """A column to be added has the name of one that is there."""


def point_in_time_join(
    spine: pl.DataFrame,
    history: pl.DataFrame,
    *,
    entity: Sequence[str],
    timestamp: pl.Series,
    known_at: pl.Series,
    ttl: timedelta,
    prefix: str = "",
    on_rows: Callable[[int], None] = lambda _: None,
) -> pl.DataFrame:
    """Return `spine` with the feature values that were known of each row's entity at its time.

    `history` has the `entity` columns, `feature_time` (what time its values are of), `known_from` (null:
    not known yet), `build` (a text that breaks ties) and the features; the order of its rows is
    without meaning. `timestamp` and `known_at` hold for each row of the spine an event time t and a
    time k, UTC in microseconds. Of the history's rows of the same entity with feature_time <= t,
    feature_time > t - `ttl` and known_from <= k, the newest by (feature_time, known_from, build) is
    taken. So no row with feature_time > t or known_from > k has any influence on the result.

    A null in the entity is a value like any other.

    The result has the spine's rows in the spine's order, its columns as they were, then the features,
    `feature_time` and `known_from`, each named with `prefix` before it: nulls where there is no such row,
    and where t or k is null. Deterministic, unless a build has several rows of one
    entity and time. `on_rows` is told how many rows of the spine are done.

    Takes O((n + m) log m) for n rows of spine and m of history, however often values were corrected.

    Raises:
        EntityTypeError: an entity column is of another type; integers of any width are one type.
        ColumnCollisionError: the spine has a column of an added one's name.
    """
    features = [name for name in history.columns if name not in (*entity, *MARKS)]
    added = [*features, FEATURE_TIME, KNOWN_FROM]
    _refuse_collisions(spine, [f"{prefix}{name}" for name in added])
    keys = entity_keys(spine, history.schema, entity)
    keys = keys.with_columns(
        pl.when(_fits(spine, keys)).then(timestamp).alias(FEATURE_TIME),
        known_at.alias(KNOWN_FROM),
    )
    codes = keys.select(entity).unique().with_row_index(_CODE)
    index = _index(history, codes, entity)
    found = [pl.Series(_ROW, [], pl.Int64)]
    done = 0
    for part in keys.iter_slices(SLICE_ROWS):
        found.append(index.newest_known(part, ttl))
        done += len(part)
        on_rows(done)
    values = history.select(pl.col(added).gather(pl.concat(found)).name.prefix(prefix))
    return spine.hstack(values.get_columns())


@dataclass(frozen=True)
class _Index:
    """History in the order of (entity, feature_time, known_from, build).

    `keys` orders its rows as one number: the entity's code x versions + the version, where a version is a
    distinct (feature_time, known_from, build) by its place in `times`. `rows` says where each came from.
    """

    codes: pl.DataFrame
    entity: tuple[str, ...]
    times: Instants
    keys: Instants
    feature_times: Instants
    known: MinTree
    rows: Instants

    def newest_known(self, part: pl.DataFrame, ttl: timedelta) -> pl.Series:
        """Return which row of history holds for each row of `part`, null for none."""
        joined = part.join(
            self.codes, on=self.entity, how="left", maintain_order="left", nulls_equal=True
        )
        usable = joined.select(
            pl.all_horizontal(pl.col(_CODE, FEATURE_TIME, KNOWN_FROM).is_not_null())
        ).to_series()
        code, at, known_at = (
            joined.get_column(name).cast(pl.Int64).fill_null(0).to_numpy()
            for name in (_CODE, FEATURE_TIME, KNOWN_FROM)
        )
        versions = len(self.times)
        beyond = code * versions + np.searchsorted(self.times, at, side="right")
        before = np.where(usable.to_numpy(), np.searchsorted(self.keys, beyond), 0)
        place = self.known.last_at_most(before, known_at)
        held = np.flatnonzero(place >= 0)
        spot = place[held]
        # What was found is the newest of all entities up to this one: it may be another's, or too old.
        holds = self.keys[spot] >= code[held] * versions
        holds &= self.feature_times[spot] > at[held] - ttl // timedelta(microseconds=1)
        result = np.full(len(part), -1, np.int64)
        result[held[holds]] = self.rows[spot[holds]]
        return pl.Series(_ROW, result).replace(-1, None)


def _index(history: pl.DataFrame, codes: pl.DataFrame, entity: Sequence[str]) -> _Index:
    # Builds are few: as categories they are joined and told apart as numbers, at a third of the time.
    build = pl.col(BUILD).cast(pl.Categorical)
    marks = [pl.col(FEATURE_TIME).cast(_UTC), pl.col(KNOWN_FROM).cast(_UTC), build]
    known = history.select(*entity, *marks).with_row_index(_ROW).drop_nulls(MARKS)
    versions = (
        known.select(*MARKS)
        .unique()
        .sort(FEATURE_TIME, KNOWN_FROM, build.cast(pl.String))
        .with_row_index(_VERSION)
    )
    key = pl.col(_CODE).cast(pl.Int64) * len(versions) + pl.col(_VERSION)
    coded = known.join(codes, on=entity, nulls_equal=True).select(_CODE, *MARKS, _ROW)
    ordered = (
        coded.join(versions, on=MARKS)
        .select(key.alias(_KEY), pl.col(_ROW).cast(pl.Int64))
        .sort(_KEY)
    )
    keys = ordered.get_column(_KEY).to_numpy()
    version = keys % max(len(versions), 1)
    times, known_from = (
        versions.get_column(name).cast(pl.Int64).to_numpy() for name in (FEATURE_TIME, KNOWN_FROM)
    )
    return _Index(
        codes=codes,
        entity=tuple(entity),
        times=times,
        keys=keys,
        feature_times=times[version],
        known=MinTree(known_from[version]),
        rows=ordered.get_column(_ROW).to_numpy(),
    )


def entity_keys(
    spine: pl.DataFrame, history: Mapping[str, pl.DataType], entity: Sequence[str]
) -> pl.DataFrame:
    """Return the spine's entity columns in the types that the history has them in.

    Raises:
        EntityTypeError: one is of another type; integers of any width are one type.
    """
    return pl.DataFrame([_key(spine.get_column(name), history[name]) for name in entity])


def _fits(spine: pl.DataFrame, keys: pl.DataFrame) -> pl.Series:
    """Return which rows' entities are values of the history's types; `keys` are `entity_keys`."""
    fits = pl.repeat(value=True, n=len(spine), dtype=pl.Boolean, eager=True)
    for name in keys.columns:
        fits &= keys.get_column(name).is_not_null() | spine.get_column(name).is_null()
    return fits


def _key(column: pl.Series, wanted: pl.DataType) -> pl.Series:
    given = column.dtype
    if given == wanted:
        return column
    if given.is_integer() and wanted.is_integer():
        # A number that does not fit becomes null, and is no entity of the history: see `_fits`.
        return column.cast(wanted, strict=False)
    if given == pl.Null or (isinstance(given, pl.Categorical | pl.Enum) and wanted == pl.String):
        return column.cast(wanted)
    raise EntityTypeError(
        f"it is of type {given}, and the history's is {wanted}.",
        subject=f"entity column {column.name} of the spine",
        remedy="Convert it.",
    )


def _refuse_collisions(spine: pl.DataFrame, added: Sequence[str]) -> None:
    taken = [name for name in added if name in spine.columns]
    if taken:
        raise ColumnCollisionError(
            f"the spine has columns that would be added: {', '.join(taken)}.",
            subject="spine",
            remedy="Give a prefix for the added columns, choose other features, or rename the spine's.",
        )
