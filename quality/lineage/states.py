"""The life of an event, drawn: its states, what may follow each, and how many events are in it."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.event_state import TRANSITIONS, State
from pipeline.svg import document, text

WIDE, TALL, ACROSS, DOWN, MARGIN = 150, 64, 56, 62, 12

PLACES: Mapping[State, tuple[int, int]] = {
    State.RAW: (0, 0),
    State.ENRICHED: (1, 0),
    State.VALIDATED: (2, 0),
    State.SINK_COMMITTED: (3, 0),
    State.ARCHIVED: (4, 0),
    State.REPLAY: (0, 1),
    State.DEAD_LETTER: (1, 1),
    State.DISCARDED: (2, 1),
}
"""State -> its column and row in the drawing."""

SAID: Mapping[State, str] = {
    State.RAW: "in the topic, not read yet",
    State.ENRICHED: "within a batch",
    State.VALIDATED: "within a batch",
    State.SINK_COMMITTED: "ever became rows",
    State.ARCHIVED: "rows of events now",
    State.REPLAY: "on their way back",
    State.DEAD_LETTER: "dead letters",
    State.DISCARDED: "nothing is to be done",
}
"""What a state's number counts, or where its events are."""


def draw_states(counts: Mapping[State, int]) -> str:
    """Return an SVG of `TRANSITIONS`; a state that `counts` lacks is drawn without a number."""
    columns = 1 + max(column for column, _ in PLACES.values())
    rows = 1 + max(row for _, row in PLACES.values())
    body = [_ARROW]
    for state, followers in TRANSITIONS.items():
        # Sets have no order of their own.
        body += [_transition(state, one) for one in sorted(followers, key=lambda one: one.value)]
    body += [line for state in TRANSITIONS for line in _state(state, counts.get(state))]
    width = 2 * MARGIN + columns * WIDE + (columns - 1) * ACROSS
    height = 2 * MARGIN + rows * TALL + (rows - 1) * DOWN
    return document(
        "States of an event",
        width,
        height,
        body,
        fixed=True,
        background=None,
        more='class="states" role="img"',
    )


_ARROW = (
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
    'orient="auto-start-reverse"><path class="head" d="M0,0L8,4L0,8z"/></marker></defs>'
)


def _corner(state: State) -> tuple[float, float]:
    column, row = PLACES[state]
    return MARGIN + column * (WIDE + ACROSS), MARGIN + row * (TALL + DOWN)


def _transition(state: State, follower: State) -> str:
    (left, top), (to_left, to_top) = _corner(state), _corner(follower)
    if top == to_top:
        y = top + TALL / 2
        path = (
            f"M{left + WIDE:g},{y:g}H{to_left:g}"
            if left < to_left
            else f"M{left:g},{y:g}H{to_left + WIDE:g}"
        )
    elif left == to_left:
        x = left + WIDE / 2
        path = (
            f"M{x:g},{top + TALL:g}V{to_top:g}"
            if top < to_top
            else f"M{x:g},{top:g}V{to_top + TALL:g}"
        )
    else:
        # Aslant, from the lower corner to a side's upper part.
        path = f"M{left + WIDE - 24:g},{top + TALL:g}L{to_left + 18:g},{to_top:g}"
    return (
        f'<path class="transition" data-from="{state.value}" data-to="{follower.value}" d="{path}" '
        'marker-end="url(#arrow)"/>'
    )


def _state(state: State, count: int | None) -> list[str]:
    left, top = _corner(state)
    kind = state.value.lower()
    known = "" if count is None else " counted"
    out = [
        f'<g class="state {kind}{known}" data-state="{state.value}" transform="translate({left:g} {top:g})">',
        f'<rect width="{WIDE}" height="{TALL}" rx="10"/>',
        text(WIDE / 2, 20, state.value, "middle", 'class="name"'),
    ]
    if count is not None:
        out.append(text(WIDE / 2, 40, f"{count:,}", "middle", 'class="count"'))
    place = 54 if count is not None else 42
    out += [text(WIDE / 2, place, SAID[state], "middle", 'class="said"'), "</g>"]
    return out
