"""What is to be sent to a topic of dead letters, from what was sent last: pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from pipeline.dead_letters.fate import Fate, LetterState
from pipeline.dead_letters.read import KEYS, TOPIC, fates_of
from pipeline.tables.offsets import CommittedOffsets

LETTER: dict[str, pl.DataType | type[pl.DataType]] = {
    TOPIC: pl.String,
    "_topic_partition": pl.Int32,
    "_offset": pl.Int64,
    "_origin_partition": pl.Int32,
    "_origin_offset": pl.Int64,
    "_ingested_at": pl.Datetime("us", "UTC"),
}
"""What is known of each dead letter, and of what type."""
SHOWN = "shown"
"""The column that says what of a dead letter is in the topic: one of `ABSENT`, `BEGUN`, `SENT`."""
ABSENT, BEGUN, SENT = 0, 1, 2
"""Nothing, or a tombstone; perhaps its record, if whoever was to send it was killed; its record."""
LIVE = (Fate.OPEN.value, Fate.CLAIMED.value, Fate.SENT.value)
"""Fates of dead letters that the topic has: nobody else stands for them, and they are not settled."""
FINAL = (Fate.LANDED.value, Fate.RETURNED.value, Fate.DISCARDED.value)
"""Fates that a dead letter keeps for good."""


@dataclass(frozen=True)
class TopicPlan:
    """What is to be done, in frames that have the columns of `LETTER`.

    Attributes:
        shown: dead letters whose records are to be sent, in the order of `KEYS`.
        withdrawn: those that are to have a tombstone.
        noted: those that were not known, are not to be sent, and are needed to tell others' fates.
        forgotten: those that need not be known once their tombstone, if they need one, is sent.
        awaited: partition -> the first offset of the product's topic at which a replayed record waits.
        open: how many the topic has once this is done.
    """

    shown: pl.DataFrame
    withdrawn: pl.DataFrame
    noted: pl.DataFrame
    forgotten: pl.DataFrame
    awaited: Mapping[int, int]
    open: int


def plan_topic(
    known: pl.DataFrame,
    found: pl.DataFrame,
    states: pl.DataFrame,
    committed: CommittedOffsets | None,
) -> TopicPlan:
    """Plan what makes the topic have a record of each dead letter that is live, and of no other.

    Args:
        known: dead letters as they were noted: LETTER and SHOWN.
        found: dead letters that may be new: LETTER.
        states: all rows of `dead_letter_states`.
        committed: the offsets of events.

    `known` and `found` together are all that are live, all that may be, and every dead letter that a replay
    brought.
    """
    new = found.join(known, on=KEYS, how="anti").with_columns(
        pl.lit(ABSENT, pl.Int64).alias(SHOWN), is_new=True
    )
    letters = pl.concat([known.with_columns(is_new=pl.lit(value=False)), new])
    fated = fates_of(letters, states, committed).sort(KEYS)
    live, final = pl.col("fate").is_in(LIVE), pl.col("fate").is_in(FINAL)
    is_own = (pl.col("_origin_partition") == pl.col("_topic_partition")) & (
        pl.col("_origin_offset") == pl.col("_offset")
    )
    return TopicPlan(
        shown=_letters(fated, live & (pl.col(SHOWN) != SENT)),
        withdrawn=_letters(fated, ~live & (pl.col(SHOWN) != ABSENT)),
        noted=_letters(fated, pl.col("is_new") & ~live & ~(final & is_own)),
        # What a replay brought tells the fate of the one that was replayed.
        forgotten=_letters(fated, ~pl.col("is_new") & final & is_own),
        awaited=_awaited(fated, states, committed),
        open=fated.select(live.sum()).item(),
    )


def _letters(fated: pl.DataFrame, wanted: pl.Expr) -> pl.DataFrame:
    return fated.filter(wanted).select(list(LETTER))


def _awaited(
    fated: pl.DataFrame, states: pl.DataFrame, committed: CommittedOffsets | None
) -> Mapping[int, int]:
    topic_id = "" if committed is None else committed.topic_id
    waiting = fated.filter((pl.col("fate") == Fate.SENT) & (pl.col(TOPIC) == topic_id))
    sent = states.filter(pl.col("state") == LetterState.SENT)
    ends = {} if committed is None else committed.next
    rows = sent.join(waiting, on=KEYS, how="semi").select("replayed_partition", "replayed_offset")
    first: dict[int, int] = {}
    for partition, offset in rows.iter_rows():
        if offset >= ends.get(partition, 0):
            first[partition] = min(offset, first.get(partition, offset))
    return first


def letter_key(topic_id: str, partition: int, offset: int) -> bytes:
    """Return the key of a dead letter's record in the topic: where it stood in Kafka."""
    return f"{topic_id}/{partition}/{offset}".encode()
