"""What became of each dead letter, derived from what was done with it and from where ingest is."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from pipeline.dead_letters.states import ORIGIN as ORIGIN
from pipeline.dead_letters.states import PLACE as PLACE
from pipeline.dead_letters.states import Fate as Fate
from pipeline.dead_letters.states import LetterState as LetterState


def with_fates(
    letters: pl.DataFrame, states: pl.DataFrame, committed: Mapping[int, int]
) -> pl.DataFrame:
    """Return `letters` with the column `fate`, in their order.

    Args:
        letters: every dead letter of one topic: PLACE, ORIGIN and whatever else.
        states: every row of `dead_letter_states` of that topic: PLACE, `state`, `action_id`, and of where
            it was sent `origin_partition`, `origin_offset`, `replayed_partition`, `replayed_offset`.
        committed: partition -> the first offset that ingest has not passed.

    Of dead letters of one origin at most one is open: the first, while no replay of any is on its way or
    has landed.
    """
    released = states.filter(pl.col("state") == LetterState.RELEASED.value)
    states = states.join(released, on=[*PLACE, "action_id"], how="anti")
    sent = _sent(letters, states, committed)
    own = (
        states.group_by(PLACE)
        .agg(
            __discarded=(pl.col("state") == LetterState.DISCARDED).any(),
            __claimed=(pl.col("state") == LetterState.CLAIMED).any(),
        )
        .join(_by(sent, PLACE, "__own"), on=PLACE, how="left")
    )
    claims = (
        states.filter(pl.col("state") == LetterState.CLAIMED)
        .select(*PLACE, _origin_partition="origin_partition", _origin_offset="origin_offset")
        .join(sent.select(PLACE).unique(), on=PLACE, how="anti")
        .group_by(ORIGIN)
        .agg(__pending=pl.lit(value=True))
    )
    known = (
        letters.join(own, on=PLACE, how="left", maintain_order="left")
        .join(_by(sent, ORIGIN, "__of_origin"), on=ORIGIN, how="left", maintain_order="left")
        .join(claims, on=ORIGIN, how="left", maintain_order="left")
    )
    flags = [name for name in known.columns if name.startswith("__")]
    known = known.with_columns(pl.col(flags).fill_null(value=False))
    settled = pl.col("__discarded") | pl.col("__claimed")
    firsts = known.filter(~settled).sort(PLACE).unique(ORIGIN, keep="first", maintain_order=True)
    known = known.join(
        firsts.select(*PLACE, __first=True), on=PLACE, how="left", maintain_order="left"
    )
    stands_back = pl.col("__of_origin_landed") | pl.col("__of_origin_waiting") | pl.col("__pending")
    fate = (
        pl.when("__discarded")
        .then(pl.lit(Fate.DISCARDED.value))
        .when("__own_landed")
        .then(pl.lit(Fate.LANDED.value))
        .when("__own_waiting")
        .then(pl.lit(Fate.SENT.value))
        .when("__own_returned")
        .then(pl.lit(Fate.RETURNED.value))
        .when("__claimed")
        .then(pl.lit(Fate.CLAIMED.value))
        .when(stands_back | pl.col("__first").is_null())
        .then(pl.lit(Fate.DUPLICATE.value))
        .otherwise(pl.lit(Fate.OPEN.value))
    )
    return known.with_columns(fate=fate).drop(*flags, "__first")


def _sent(
    letters: pl.DataFrame, states: pl.DataFrame, committed: Mapping[int, int]
) -> pl.DataFrame:
    """Return what was sent: whose it is, and whether it waits, has returned or has landed."""
    ends = pl.DataFrame(
        {"replayed_partition": list(committed), "__end": list(committed.values())},
        schema={"replayed_partition": pl.Int32, "__end": pl.Int64},
    )
    back = letters.select(
        replayed_partition="_topic_partition", replayed_offset="_offset", __back=True
    ).unique()
    return (
        states.filter(pl.col("state") == LetterState.SENT)
        .rename({"origin_partition": "_origin_partition", "origin_offset": "_origin_offset"})
        .join(ends, on="replayed_partition", how="left")
        .join(back, on=["replayed_partition", "replayed_offset"], how="left")
        .with_columns(
            pl.col("__back").fill_null(value=False),
            __passed=pl.col("replayed_offset") < pl.col("__end").fill_null(0),
        )
        .select(
            *PLACE,
            *ORIGIN,
            returned=pl.col("__back"),
            waiting=~pl.col("__passed") & ~pl.col("__back"),
            landed=pl.col("__passed") & ~pl.col("__back"),
        )
    )


def _by(sent: pl.DataFrame, columns: tuple[str, str], prefix: str) -> pl.DataFrame:
    """Return for each of `columns` whether anything sent has returned, waits or has landed."""
    names = ("returned", "waiting", "landed")
    return sent.group_by(columns).agg(**{f"{prefix}_{name}": pl.col(name).any() for name in names})
