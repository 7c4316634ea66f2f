"""What a topic of dead letters is sent, by what became of each and by what it was sent last."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

from pipeline.dead_letters.topic.plan import (
    ABSENT,
    BEGUN,
    LETTER,
    SENT,
    SHOWN,
    TopicPlan,
    plan_topic,
)
from pipeline.tables.offsets import CommittedOffsets

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
STATE = {
    "_topic_id": pl.String,
    "_topic_partition": pl.Int32,
    "_offset": pl.Int64,
    "state": pl.String,
    "action_id": pl.String,
    "origin_partition": pl.Int32,
    "origin_offset": pl.Int64,
    "replayed_partition": pl.Int32,
    "replayed_offset": pl.Int64,
}


def letters(*offsets: int, shown: int | None = None, origin: int | None = None) -> pl.DataFrame:
    rows = [("t", 0, at, 0, at if origin is None else origin, NOW) for at in offsets]
    frame = pl.DataFrame(rows, schema=LETTER, orient="row")
    return frame if shown is None else frame.with_columns(pl.lit(shown, pl.Int64).alias(SHOWN))


def states(*rows: tuple[str, int, int | None]) -> pl.DataFrame:
    """Rows of (state, offset, the offset it was replayed to), each of its own origin."""
    told = [
        ("t", 0, at, state, "a", 0, at, None if to is None else 0, to) for state, at, to in rows
    ]
    return pl.DataFrame(told, schema=STATE, orient="row")


def plan(
    known: pl.DataFrame, found: pl.DataFrame, noted: pl.DataFrame | None = None, end: int = 100
) -> TopicPlan:
    committed = CommittedOffsets("c", "topic", "t", {0: 0}, {0: end}, 1, NOW)
    return plan_topic(known, found, states() if noted is None else noted, committed)


def offsets(frame: pl.DataFrame) -> list[int]:
    return frame.get_column("_offset").to_list()


NONE = letters(shown=ABSENT)


def test_new_dead_letters_are_sent_in_their_order_and_known_ones_are_not() -> None:
    planned = plan(letters(3, shown=SENT), letters(3, 9, 5))
    assert offsets(planned.shown) == [5, 9]
    assert (planned.withdrawn.height, planned.open) == (0, 3)


def test_what_may_not_have_been_sent_is_sent_again() -> None:
    assert offsets(plan(letters(3, shown=BEGUN), letters()).shown) == [3]


def test_a_tombstone_follows_a_discard_even_of_what_may_not_have_been_sent() -> None:
    known = pl.concat([letters(3, shown=SENT), letters(4, shown=BEGUN), letters(5, shown=ABSENT)])
    planned = plan(known, letters(), states(*(("discarded", at, None) for at in (3, 4, 5))))
    assert offsets(planned.withdrawn) == [3, 4]
    assert offsets(planned.forgotten) == [3, 4, 5]
    assert planned.open == 0


def test_what_was_settled_before_anybody_looked_is_never_sent() -> None:
    planned = plan(NONE, letters(3), states(("discarded", 3, None)))
    assert planned.shown.is_empty()
    assert planned.noted.is_empty()


def test_a_replayed_one_stays_until_ingest_has_passed_it() -> None:
    noted = states(("claimed", 3, None), ("sent", 3, 50))
    known = letters(3, shown=SENT)
    waiting = plan(known, letters(), noted, end=50)
    assert (waiting.withdrawn.height, dict(waiting.awaited)) == (0, {0: 50})
    landed = plan(known, letters(), noted, end=51)
    assert (offsets(landed.withdrawn), dict(landed.awaited)) == ([3], {})
    assert offsets(landed.forgotten) == [3]


def test_one_that_returned_goes_and_stands_at_its_new_place() -> None:
    noted = states(("claimed", 3, None), ("sent", 3, 50))
    planned = plan(letters(3, shown=SENT), letters(50, origin=3), noted)
    assert (offsets(planned.withdrawn), offsets(planned.shown)) == ([3], [50])
    # Later, though the first is forgotten, and after the second was discarded.
    discarded = pl.concat([noted, states(("discarded", 50, None))])
    after = plan(letters(50, origin=3, shown=SENT), letters(), discarded)
    assert offsets(after.withdrawn) == [50]
    assert after.forgotten.is_empty(), "it tells that the first has not landed"


def test_a_duplicate_is_held_back_and_takes_the_place_of_one_that_is_discarded() -> None:
    first = plan(NONE, pl.concat([letters(3), letters(8, origin=3)]))
    assert (offsets(first.shown), offsets(first.noted)) == ([3], [8])
    known = pl.concat([letters(3, shown=SENT), letters(8, origin=3, shown=ABSENT)])
    after = plan(known, letters(), states(("discarded", 3, None)))
    assert (offsets(after.withdrawn), offsets(after.shown)) == ([3], [8])
