"""The point-in-time join: what was known then, whatever was corrected since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.features import point_in_time
from pipeline.features.min_tree import MinTree
from pipeline.features.point_in_time import (
    ColumnCollisionError,
    EntityTypeError,
    point_in_time_join,
)
from pipeline.features.times import UTC_MICROS

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
HOUR, TICK = timedelta(hours=1), timedelta(microseconds=1)
ENTITY = ("user_id", "region")
TYPES = {
    "user_id": pl.String(),
    "region": pl.Int64(),
    "value": pl.Int64(),
    "feature_time": UTC_MICROS,
    "known_from": UTC_MICROS,
    "build": pl.String(),
}


@dataclass(frozen=True)
class Row:
    """One row of history; `known_from` None: its build was never published."""

    user_id: str
    region: int
    value: int
    feature_time: datetime
    known_from: datetime | None
    build: str


@dataclass(frozen=True)
class Ask:
    """One row of a spine."""

    user_id: str | None
    region: int | None
    t: datetime | None
    k: datetime | None


def frame(history: Sequence[Row]) -> pl.DataFrame:
    return pl.DataFrame([vars(row) for row in history], schema=TYPES)


def join(asks: Sequence[Ask], history: Sequence[Row], ttl: timedelta) -> pl.DataFrame:
    types = {"user_id": pl.String(), "region": pl.Int64(), "t": UTC_MICROS, "k": UTC_MICROS}
    spine = pl.DataFrame([vars(ask) for ask in asks], schema=types)
    return point_in_time_join(
        spine, frame(history), entity=ENTITY, timestamp=spine["t"], known_at=spine["k"], ttl=ttl
    )


def answers(asks: Sequence[Ask], history: Sequence[Row], ttl: timedelta) -> list[tuple[Any, ...]]:
    return join(asks, history, ttl).select("value", "feature_time", "known_from").rows()


def by_hand(ask: Ask, history: Sequence[Row], ttl: timedelta) -> tuple[Any, ...]:
    """The definition, word by word."""
    candidates = [
        (row.feature_time, row.known_from, row.build, row.value)
        for row in history
        if (row.user_id, row.region) == (ask.user_id, ask.region)
        and ask.t is not None
        and ask.t - ttl < row.feature_time <= ask.t
        and ask.k is not None
        and row.known_from is not None
        and row.known_from <= ask.k
    ]
    if not candidates:
        return None, None, None
    feature_time, known_from, _, value = max(candidates)
    return value, feature_time, known_from


# Few of everything, so that times meet, builds tie and an hour is published again and again.
whole_hours = st.integers(1, 3).map(lambda hours: BEGIN + hours * HOUR)
moments = st.one_of(
    whole_hours,
    st.builds(lambda at, tick: at + tick, whole_hours, st.sampled_from([-TICK, TICK])),
    st.integers(3, 9).map(lambda half_hours: BEGIN + half_hours * HOUR / 2),
)
ttls = st.sampled_from([TICK, HOUR, HOUR + TICK, 2 * HOUR, 100 * HOUR])
entities = st.sampled_from([("a", 1), ("a", 2), ("b", 1)])
asked = st.builds(lambda about, t, k: Ask(about[0], about[1], t, k), entities, moments, moments)
asked_of_nothing = st.sampled_from(
    [
        Ask("c", 1, BEGIN + 9 * HOUR, BEGIN + 9 * HOUR),
        Ask(None, 1, BEGIN + 9 * HOUR, BEGIN + 9 * HOUR),
        Ask("a", None, BEGIN + 9 * HOUR, BEGIN + 9 * HOUR),
        Ask("a", 1, None, BEGIN + 9 * HOUR),
        Ask("a", 1, BEGIN + 9 * HOUR, None),
    ]
)
asks_of_any_kind = st.one_of(asked, asked, asked, asked_of_nothing)


@st.composite
def histories(draw: st.DrawFn, name: str = "build") -> list[Row]:
    """Builds of hours in any order: corrections long after, at the same moment, and never published."""
    rows: list[Row] = []
    for number in draw(st.permutations(range(8)))[: draw(st.integers(0, 8))]:
        feature_time = draw(whole_hours)
        known_from = draw(st.one_of(moments, moments, moments, st.none()))
        about = draw(st.sets(entities, min_size=1))
        rows += [
            Row(*entity, 10 * len(rows) + number, feature_time, known_from, f"{name}-{number}")
            for entity in sorted(about)
        ]
    return list(draw(st.permutations(rows)))


@pytest.mark.slow
@settings(deadline=None, max_examples=200)
@given(st.lists(asks_of_any_kind, max_size=12), histories(), ttls)
def test_it_is_the_definition(asks: list[Ask], history: list[Row], ttl: timedelta) -> None:
    assert answers(asks, history, ttl) == [by_hand(ask, history, ttl) for ask in asks]


def may_know(ask: Ask, row: Row) -> bool:
    if ask.t is None or ask.k is None or row.known_from is None:
        return False
    return row.feature_time <= ask.t and row.known_from <= ask.k


@pytest.mark.slow
@settings(deadline=None)
@given(st.lists(asks_of_any_kind, min_size=1, max_size=3), histories(), histories("other"), ttls)
def test_nothing_leaks_from_what_was_published_later_or_is_of_a_later_time(
    asks: list[Ask], history: list[Row], others: list[Row], ttl: timedelta
) -> None:
    whole = answers(asks, history, ttl)
    for ask, answer in zip(asks, whole, strict=True):
        without = [row for row in history if may_know(ask, row)]
        assert answers([ask], without, ttl) == [answer]
        unknowable = [row for row in others if not may_know(ask, row)]
        assert answers([ask], [*unknowable, *history], ttl) == [answer]


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 9), max_size=70),
    st.lists(st.tuples(st.integers(0, 70), st.integers(-1, 10)), max_size=20),
)
def test_the_last_number_that_is_small_enough_is_found(
    numbers: list[int], asks: list[tuple[int, int]]
) -> None:
    asks = [(min(before, len(numbers)), bound) for before, bound in asks]
    before, bounds = (np.array([ask[i] for ask in asks], np.int64) for i in (0, 1))
    expected = [
        max((i for i, number in enumerate(numbers[:below]) if number <= bound), default=-1)
        for below, bound in asks
    ]
    found = MinTree(np.array(numbers, np.int64)).last_at_most(before, bounds)
    assert found.tolist() == expected


def row(value: int, hours: float, known_hours: float | None, build: str = "build") -> Row:
    known_from = None if known_hours is None else BEGIN + known_hours * HOUR
    return Row("a", 1, value, BEGIN + hours * HOUR, known_from, build)


def at(hours: float, known_hours: float | None = None) -> Ask:
    known = hours if known_hours is None else known_hours
    return Ask("a", 1, BEGIN + hours * HOUR, BEGIN + known * HOUR)


def values(asks: Sequence[Ask], history: Sequence[Row], ttl: timedelta = 100 * HOUR) -> list[Any]:
    return join(asks, history, ttl).get_column("value").to_list()


def test_a_correction_counts_from_its_publication_and_not_before() -> None:
    history = [row(1, 2, 2.5), row(9, 2, 7)]
    assert values([at(6), at(8), at(6, known_hours=7), at(6, known_hours=6.9)], history) == [
        1,
        9,
        9,
        1,
    ]


def test_an_old_hour_published_late_does_not_hide_a_newer_one() -> None:
    assert values([at(6)], [row(2, 3, 3.5), row(9, 2, 5)]) == [2]


def test_a_newer_hour_not_yet_known_leaves_the_older_one_in_force() -> None:
    assert values([at(3.1), at(3.5)], [row(1, 2, 2.5), row(2, 3, 3.5)]) == [1, 2]


def test_a_value_holds_from_the_very_end_of_its_hour() -> None:
    assert values([at(2), at(2 - 1e-6)], [row(1, 2, 2)]) == [1, None]


def test_a_value_holds_for_less_than_the_ttl() -> None:
    history = [row(1, 2, 2)]
    assert values([at(3), at(4 - 1e-6), at(4)], history, ttl=2 * HOUR) == [1, 1, None]


def test_a_value_that_was_never_published_is_never_known() -> None:
    assert values([at(90)], [row(1, 2, None)]) == [None]


def test_of_two_publications_at_one_moment_the_later_build_by_name_counts() -> None:
    history = [row(1, 2, 3, "x"), row(2, 2, 3, "y"), row(3, 2, 3, "w")]
    assert values([at(4)], history) == [2]
    assert values([at(4)], history[::-1]) == [2]


def test_thousands_of_hours_that_were_all_corrected_later_are_passed_over() -> None:
    history = [row(0, 0, 0), *(row(n, n / 100, 1_000) for n in range(1, 5_000))]
    assert values([at(60), at(60, known_hours=1_000)], history) == [0, 4_999]


def test_rows_columns_and_their_order_stay_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    asks = [at(hours) for hours in (6, 1, 3, 2, 9, 4, 3)]
    history = [row(1, 2, 2.5), row(2, 3, 3.5), row(3, 2, 5)]
    whole = join(asks, history, 100 * HOUR)
    assert whole.columns == ["user_id", "region", "t", "k", "value", "feature_time", "known_from"]
    assert whole.get_column("t").to_list() == [ask.t for ask in asks]
    monkeypatch.setattr(point_in_time, "SLICE_ROWS", 2)
    assert join(asks, history, 100 * HOUR).equals(whole)


def test_integers_of_another_width_are_the_same_entity_and_too_large_ones_are_none() -> None:
    history = frame([row(1, 2, 2)]).cast({"region": pl.Int8()})
    spine = pl.DataFrame({"user_id": ["a", "a"], "region": [1, 1_000]})
    times = pl.Series([BEGIN + 3 * HOUR] * 2, dtype=UTC_MICROS)
    found = point_in_time_join(
        spine, history, entity=ENTITY, timestamp=times, known_at=times, ttl=100 * HOUR
    )
    assert found.get_column("value").to_list() == [1, None]
    assert found.get_column("region").dtype == pl.Int64


@pytest.mark.parametrize(
    ("spine", "error", "says"),
    [
        ({"user_id": [7], "region": [1]}, EntityTypeError, "user_id"),
        ({"user_id": ["a"], "region": [1], "value": [0]}, ColumnCollisionError, "value"),
        ({"user_id": ["a"], "region": [1], "known_from": [0]}, ColumnCollisionError, "known_from"),
    ],
)
def test_a_spine_that_does_not_fit_is_refused(
    spine: dict[str, list[Any]], error: type[Exception], says: str
) -> None:
    times = pl.Series([BEGIN], dtype=UTC_MICROS)
    with pytest.raises(error, match=says):
        point_in_time_join(
            pl.DataFrame(spine),
            frame([row(1, 2, 2)]),
            entity=ENTITY,
            timestamp=times,
            known_at=times,
            ttl=HOUR,
        )


def test_a_prefix_keeps_added_columns_apart() -> None:
    spine = pl.DataFrame({"user_id": ["a"], "region": [1], "value": [0]})
    times = pl.Series([BEGIN + 3 * HOUR], dtype=UTC_MICROS)
    found = point_in_time_join(
        spine,
        frame([row(5, 2, 2)]),
        entity=ENTITY,
        timestamp=times,
        known_at=times,
        ttl=2 * HOUR,
        prefix="f_",
    )
    assert found.select("value", "f_value").rows() == [(0, 5)]
    assert found.columns[-2:] == ["f_feature_time", "f_known_from"]
