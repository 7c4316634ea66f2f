"""The freshness gate: record time - event time, strict or with late data allowed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from pipeline.contract.model import Gates
from pipeline.ingest.transform.gates.gate import gate

RECORD_TIME = datetime(2026, 1, 1, 12, tzinfo=UTC)
STRICT = Gates(freshness_s=10, ahead_s=300)
LATE_ALLOWED = Gates(freshness_s=10, late_s=72 * 3600, ahead_s=300)


def frame(*ages_s: float) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "__row": list(range(len(ages_s))),
            "_record_time": [RECORD_TIME] * len(ages_s),
            "_event_time": [RECORD_TIME - timedelta(seconds=age) for age in ages_s],
        },
        schema_overrides={"_event_time": pl.Datetime("us", "UTC")},
    )


@pytest.mark.parametrize(
    ("age_s", "gates", "outcome"),
    [
        (0, STRICT, "row"),
        (10, STRICT, "row"),
        (10.000001, STRICT, "stale"),
        (-300, STRICT, "row"),
        (-300.000001, STRICT, "ahead"),
        (10, LATE_ALLOWED, "row"),
        (10.000001, LATE_ALLOWED, "late"),
        (72 * 3600, LATE_ALLOWED, "late"),
        (72 * 3600 + 0.000001, LATE_ALLOWED, "stale"),
        (-301, LATE_ALLOWED, "ahead"),
    ],
)
def test_an_event_of_some_age_becomes(age_s: float, gates: Gates, outcome: str) -> None:
    gated = gate(frame(age_s), gates)
    if outcome in {"row", "late"}:
        assert gated.frame.get_column("_late").to_list() == [outcome == "late"]
        assert gated.refused.is_empty()
    else:
        assert gated.frame.is_empty()
        assert gated.refused.get_column("reason").to_list() == [outcome]


def test_refused_rows_are_named_by_their_place_in_the_batch() -> None:
    gated = gate(frame(1, 100, 2, -1000), STRICT)
    assert gated.refused.get_column("__row").to_list() == [1, 3]
    assert gated.frame.get_column("__row").to_list() == [0, 2]


@pytest.mark.parametrize(
    ("time_us", "reason", "said"),
    [
        (-1000, "no_timestamp", "the record has no timestamp"),
        (300_000 * 365 * 86_400 * 10**6 - 10**18, "out_of_range", "outside years 1 to 9999"),
        (-62_135_596_800_000_001, "out_of_range", "outside years 1 to 9999"),
        (253_402_300_800_000_000, "out_of_range", "outside years 1 to 9999"),
        (-1001, "ahead", "record time - event time"),
        (-999, "ahead", "record time - event time"),
    ],
)
def test_a_record_whose_time_says_nothing_is_told_as_such(
    time_us: int, reason: str, said: str
) -> None:
    strange = pl.Series([time_us], dtype=pl.Int64).cast(pl.Datetime("us", "UTC"))
    gated = gate(frame(0).with_columns(_record_time=strange), LATE_ALLOWED)
    assert gated.refused.get_column("reason").to_list() == [reason]
    assert said in gated.refused.get_column("detail")[0]


@pytest.mark.parametrize(
    ("age_s", "came_s", "outcome"),
    [(90, 5, "row"), (90, 60, "late"), (90_000_000, 60, "late"), (-301, 5, "ahead")],
)
def test_what_is_replayed_is_never_too_old_and_late_as_it_was_at_first(
    age_s: float, came_s: float, outcome: str
) -> None:
    """It is `age_s` seconds old now, and was `came_s` when it became a dead letter."""
    replayed = frame(age_s, 5).with_columns(
        __origin_time=pl.Series(
            [RECORD_TIME - timedelta(seconds=age_s - came_s), None],
            dtype=pl.Datetime("us", "UTC"),
        )
    )
    gated = gate(replayed, STRICT)
    if outcome == "ahead":
        assert gated.refused.get_column("reason").to_list() == ["ahead"]
    else:
        assert gated.frame.get_column("_late").to_list() == [outcome == "late", False]
