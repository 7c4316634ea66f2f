"""Streams of viewing as hypothesis draws them: at the edges of gaps, of hours and of rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from tests.support.viewing_by_hand import HOUR, Title, View, World

FIRST = datetime(2026, 3, 7, 22, tzinfo=UTC)
"""Three hours from here there is a midnight between, in UTC; in New York it is the day clocks change."""
HOURS = tuple(FIRST + HOUR * n for n in range(4))
WORLD = World(
    titles=(
        Title("c1", "drama", 3_000),
        Title("c1", "comedy", 2_700, FIRST + HOUR + timedelta(minutes=10)),
        Title("c1", "crime", 3_000, FIRST + 2 * HOUR),
        Title("c2", None, None),
        Title("c3", "crime", 0),
        Title("c4", "romance", 7, FIRST + HOUR),
    ),
    zones={"us-east": "America/New_York", "eu-central": "Europe/Berlin"},
)
MICROSECOND = timedelta(microseconds=1)
GAP = timedelta(minutes=30)
GAPS = (
    timedelta(0),
    MICROSECOND,
    timedelta(minutes=7),
    timedelta(minutes=20),
    GAP - MICROSECOND,
    GAP,
    GAP + MICROSECOND,
    timedelta(minutes=45),
)


def views(user: str, at: datetime) -> st.SearchStrategy[View]:
    """Return events of `user` at one time; half of them are like any other."""
    return st.builds(
        View,
        user=st.just(user),
        at=st.just(at),
        content=st.sampled_from(("c1", "c1", "c2", "c3", "c4", "none")),
        seconds=st.sampled_from((600, 600, 0, 1, 2_999, 86_400, 86_401, -1, None)),
        device=st.sampled_from(("tv", "tv", "mobile", "console", "fridge", None)),
        region=st.sampled_from(("us-east",) * 6 + ("eu-central", "mars", None)),
        completion=st.sampled_from(
            (0.5, 0.95, 0.123_456_7, 0.9, 0.899_999_5, 0.0, 1.0, -0.1, 1.1, float("nan"), None)
        ),
    )


@st.composite
def stream(draw: st.DrawFn, user: str, starts: Sequence[datetime] = (FIRST,)) -> list[View]:
    """Draw what one account watches from some of `starts` on, until the hours are over."""
    found: list[View] = []
    for start in starts:
        at = start + draw(st.sampled_from((timedelta(0), timedelta(minutes=29), GAP, 2 * GAP)))
        for gap in draw(st.lists(st.sampled_from(GAPS), max_size=12)):
            found.append(draw(views(user, at)))
            at += gap
    return found


@st.composite
def streams(draw: st.DrawFn, users: int, starts: Sequence[datetime] = (FIRST,)) -> list[View]:
    """Draw what many accounts watch, in no order. One of them has no name, another is null."""
    found: list[View] = []
    for number in range(users):
        found += draw(stream(f"u{number}", starts))
    found += draw(stream("", starts))
    found += [View(None, FIRST)]
    return draw(st.permutations(found)) if draw(st.booleans()) else found
