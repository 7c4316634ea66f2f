"""What became of each dead letter: by what was noted of it, and by where ingest is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.dead_letters.fate import Fate, LetterState, with_fates

Place = tuple[int, int]
CLAIMED, SENT = LetterState.CLAIMED, LetterState.SENT
DISCARDED, RELEASED = LetterState.DISCARDED, LetterState.RELEASED


class Letter(NamedTuple):
    """Where a dead letter stands, and where its record stood first."""

    place: Place
    origin: Place


class Noted(NamedTuple):
    """A row of the table of states."""

    letter: Letter
    state: LetterState
    sent_to: Place | None = None
    action: str = "a"


def first(partition: int, offset: int) -> Letter:
    """A dead letter that no replay brought."""
    return Letter((partition, offset), (partition, offset))


def fates(
    letters: Sequence[Letter],
    noted: Sequence[Noted] = (),
    committed: Mapping[int, int] | None = None,
) -> list[Fate]:
    """What `with_fates` says, in the order of `letters`."""
    place = {"_topic_partition": pl.Int32, "_offset": pl.Int64}
    frame = pl.DataFrame(
        [(*one.place, *one.origin) for one in letters],
        schema={**place, "_origin_partition": pl.Int32, "_origin_offset": pl.Int64},
        orient="row",
    )
    states = pl.DataFrame(
        [
            (
                *one.letter.place,
                one.state.value,
                one.action,
                *one.letter.origin,
                *(one.sent_to or (None, None)),
            )
            for one in noted
        ],
        schema={
            **place,
            "state": pl.String,
            "action_id": pl.String,
            "origin_partition": pl.Int32,
            "origin_offset": pl.Int64,
            "replayed_partition": pl.Int32,
            "replayed_offset": pl.Int64,
        },
        orient="row",
    )
    told = with_fates(frame, states, committed or {})
    assert told.columns == [*frame.columns, "fate"]
    assert told.drop("fate").equals(frame)
    return [Fate(one) for one in told.get_column("fate").to_list()]


ONE = first(0, 5)
BACK = Letter((0, 9), ONE.origin)
"""The same record as a dead letter again, where a replay sent it."""
TWIN = Letter((0, 10), ONE.origin)
"""And once more: it was sent twice."""
CLAIM = Noted(ONE, CLAIMED)


def sent(letter: Letter, offset: int) -> list[Noted]:
    return [Noted(letter, CLAIMED), Noted(letter, SENT, (0, offset))]


@pytest.mark.parametrize(
    ("noted", "end", "fate"),
    [
        pytest.param([], 8, Fate.OPEN, id="nothing was done with it"),
        pytest.param([CLAIM], 8, Fate.CLAIMED, id="chosen, and not noted as sent"),
        pytest.param(sent(ONE, 9), 9, Fate.SENT, id="sent to where ingest has not been"),
        pytest.param(sent(ONE, 9), 10, Fate.LANDED, id="ingest has passed where it was sent"),
        pytest.param([Noted(ONE, DISCARDED)], 8, Fate.DISCARDED, id="nothing is to be done"),
        pytest.param([CLAIM, Noted(ONE, RELEASED)], 8, Fate.OPEN, id="chosen, and let go again"),
        pytest.param(
            [CLAIM, Noted(ONE, RELEASED, action="b")],
            8,
            Fate.CLAIMED,
            id="let go by another replay",
        ),
        pytest.param([*sent(ONE, 9), *sent(ONE, 11)], 10, Fate.LANDED, id="sent twice, one landed"),
        pytest.param([*sent(ONE, 9), *sent(ONE, 11)], 9, Fate.SENT, id="sent twice, both wait"),
    ],
)
def test_the_fate_of_one_dead_letter(noted: list[Noted], end: int, fate: Fate) -> None:
    assert fates([ONE], noted, {0: end}) == [fate]


def test_one_that_is_a_dead_letter_again_has_returned_and_the_other_is_open() -> None:
    assert fates([ONE, BACK], sent(ONE, 9), {0: 20}) == [Fate.RETURNED, Fate.OPEN]


def test_one_that_returned_twice_leaves_one_open_the_first() -> None:
    noted = [*sent(ONE, 9), *sent(ONE, 10)]
    assert fates([ONE, TWIN, BACK], noted, {0: 20}) == [Fate.RETURNED, Fate.DUPLICATE, Fate.OPEN]


def test_while_one_is_on_its_way_its_twins_stand_back_and_when_it_has_landed_too() -> None:
    noted = [*sent(ONE, 9), *sent(ONE, 10)]
    claimed = [*noted, Noted(BACK, CLAIMED)]
    assert fates([ONE, BACK, TWIN], claimed, {0: 20})[1:] == [Fate.CLAIMED, Fate.DUPLICATE]
    again = [*noted, *sent(BACK, 15)]
    assert fates([ONE, BACK, TWIN], again, {0: 15})[1:] == [Fate.SENT, Fate.DUPLICATE]
    assert fates([ONE, BACK, TWIN], again, {0: 16})[1:] == [Fate.LANDED, Fate.DUPLICATE]


def test_one_that_returned_and_was_replayed_again_has_landed_and_its_origin_has_returned() -> None:
    noted = [*sent(ONE, 9), *sent(BACK, 15)]
    assert fates([ONE, BACK], noted, {0: 16}) == [Fate.RETURNED, Fate.LANDED]


def test_a_record_whose_replay_landed_beside_the_one_that_returned_is_done_with() -> None:
    """Sent twice: the one became a row, and the other a dead letter that nobody has to see to."""
    noted = [*sent(ONE, 9), *sent(ONE, 11)]
    assert fates([ONE, BACK], noted, {0: 20}) == [Fate.LANDED, Fate.DUPLICATE]


def test_discarded_is_discarded_whatever_was_done_before() -> None:
    noted = [*sent(ONE, 9), Noted(BACK, DISCARDED)]
    assert fates([ONE, BACK], noted, {0: 20}) == [Fate.RETURNED, Fate.DISCARDED]


def test_no_dead_letters_have_no_fates() -> None:
    assert fates([]) == []


def model(
    letters: Sequence[Letter], noted: Sequence[Noted], committed: Mapping[int, int]
) -> list[Fate]:
    """The same in plain words."""
    released = {(n.letter.place, n.action) for n in noted if n.state is RELEASED}
    noted = [n for n in noted if (n.letter.place, n.action) not in released]
    places = {one.place for one in letters}

    def outcome(row: Noted) -> Fate:
        partition, offset = row.sent_to or (0, 0)
        if row.sent_to in places:
            return Fate.RETURNED
        return Fate.LANDED if offset < committed.get(partition, 0) else Fate.SENT

    def of_letter(place: Place) -> set[Fate]:
        return {outcome(n) for n in noted if n.letter.place == place and n.state is SENT}

    def has(place: Place, state: LetterState) -> bool:
        return any(n.letter.place == place and n.state is state for n in noted)

    def is_done(origin: Place) -> bool:
        """Whether one of that origin is on its way or has landed."""
        for row in noted:
            if row.letter.origin != origin:
                continue
            if row.state is SENT and outcome(row) is not Fate.RETURNED:
                return True
            if row.state is CLAIMED and not has(row.letter.place, SENT):
                return True
        return False

    def fate(letter: Letter) -> Fate:
        if has(letter.place, DISCARDED):
            return Fate.DISCARDED
        for one in (Fate.LANDED, Fate.SENT, Fate.RETURNED):
            if one in of_letter(letter.place):
                return one
        if has(letter.place, CLAIMED):
            return Fate.CLAIMED
        untouched = [
            one.place
            for one in letters
            if one.origin == letter.origin
            and not has(one.place, CLAIMED)
            and not has(one.place, DISCARDED)
        ]
        is_first = letter.place == min(untouched, default=letter.place)
        return Fate.OPEN if is_first and not is_done(letter.origin) else Fate.DUPLICATE

    return [fate(letter) for letter in letters]


PLACES = st.tuples(st.integers(0, 1), st.integers(0, 5))


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Letter], list[Noted], dict[int, int]]:
    """Dead letters of few records, and what was noted of them."""
    places = draw(st.lists(PLACES, unique=True, min_size=1, max_size=8))
    letters = [Letter(one, draw(st.sampled_from([one, *places[:2]]))) for one in places]
    noted = []
    for letter in draw(st.lists(st.sampled_from(letters), max_size=8)):
        state, action = draw(st.sampled_from(LetterState)), draw(st.sampled_from("ab"))
        if state is SENT:
            noted.append(Noted(letter, CLAIMED, action=action))
        noted.append(Noted(letter, state, draw(PLACES) if state is SENT else None, action))
    committed = draw(st.dictionaries(st.integers(0, 1), st.integers(0, 7)))
    return letters, noted, committed


@given(histories())
def test_fates_are_those_of_the_model_and_one_of_a_record_is_open_at_most(
    drawn: tuple[list[Letter], list[Noted], dict[int, int]],
) -> None:
    letters, noted, committed = drawn
    found = fates(letters, noted, committed)
    assert found == model(letters, noted, committed)
    open_ones = [
        letter.origin for letter, one in zip(letters, found, strict=True) if one is Fate.OPEN
    ]
    assert len(open_ones) == len(set(open_ones))
