"""Watching that event time does not go back within a key."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl

from pipeline.ingest.transform.gates.key_order import KeyOrder

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def frame(*seconds: int) -> pl.DataFrame:
    times = [NOW + timedelta(seconds=each) for each in seconds]
    return pl.DataFrame({"_key": ["a"] * len(times), "_event_time": times})


def test_an_event_older_than_an_earlier_one_of_its_key_is_found() -> None:
    order = KeyOrder(1 << 4)
    assert order.watch(frame(1, 3, 2)).tolist() == [False, False, True]
    assert order.watch(frame(1, 4)).tolist() == [True, False]


def test_a_batch_that_was_forgotten_is_not_out_of_order_when_it_comes_again() -> None:
    order = KeyOrder(1 << 4)
    order.watch(frame(1, 3))
    order.forget()
    assert order.watch(frame(1, 3)).tolist() == [False, False]
