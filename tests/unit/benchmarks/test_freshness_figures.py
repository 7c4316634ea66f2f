"""Percentiles of freshness: each row counts once, and what was produced outside the time not at all."""

from __future__ import annotations

import pytest

from benchmarks.freshness.latency import Sighting, between_s, percentile, series, summary, waits

TWO = [
    Sighting(1, seen_ms=1_500, produced={1_000: 10, 1_400: 30}),
    Sighting(2, seen_ms=3_500, produced={1_500: 60}),
]


def test_a_row_waits_from_its_record_time_until_it_is_seen() -> None:
    assert waits(TWO, 0, 10_000) == {500: 10, 100: 30, 2_000: 60}


def test_rows_produced_before_or_after_the_time_do_not_count() -> None:
    assert waits(TWO, 1_400, 1_500) == {100: 30}


def test_percentiles_weigh_every_row_alike() -> None:
    counts = waits(TWO, 0, 10_000)
    assert [percentile(counts, p) for p in (30, 31, 40, 41, 100)] == [100, 500, 500, 2_000, 2_000]


def test_one_value_is_every_percentile() -> None:
    assert [percentile({7: 1}, p) for p in (1, 50, 99, 100)] == [7] * 4


def test_nothing_has_no_percentile_and_no_summary() -> None:
    assert summary({}) is None
    with pytest.raises(ValueError, match="no values"):
        percentile({}, 50)


def test_a_summary_is_in_seconds() -> None:
    assert summary(waits(TWO, 0, 10_000)) == {
        "rows": 100,
        "p50_s": 2.0,
        "p95_s": 2.0,
        "p99_s": 2.0,
        "max_s": 2.0,
    }


def test_a_series_has_a_point_for_each_snapshot_with_rows() -> None:
    points = series([*TWO, Sighting(3, seen_ms=4_000, produced={})], begin_ms=1_000)
    assert [(p["at_s"], p["rows"], p["p50_s"], p["max_s"]) for p in points] == [
        (0.5, 40, 0.1, 0.5),
        (2.5, 60, 2.0, 2.0),
    ]


def test_seconds_between_sightings_need_two() -> None:
    assert between_s(TWO) == 2.0
    assert between_s(TWO[:1]) is None
