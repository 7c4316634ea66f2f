"""The life of an event: its states, and what may follow each."""

from __future__ import annotations

import enum


class State(enum.Enum):
    """Where an event is in its life; each follows from evidence (see docs/reference/format.md)."""

    RAW = "Raw"
    ENRICHED = "Enriched"
    VALIDATED = "Validated"
    SINK_COMMITTED = "SinkCommitted"
    ARCHIVED = "Archived"
    DEAD_LETTER = "DeadLetter"
    REPLAY = "Replay"
    DISCARDED = "Discarded"


TRANSITIONS = {
    State.RAW: frozenset({State.ENRICHED, State.DEAD_LETTER}),
    State.ENRICHED: frozenset({State.VALIDATED, State.DEAD_LETTER}),
    State.VALIDATED: frozenset({State.SINK_COMMITTED}),
    State.SINK_COMMITTED: frozenset({State.ARCHIVED}),
    State.ARCHIVED: frozenset(),
    State.DEAD_LETTER: frozenset({State.REPLAY, State.DISCARDED}),
    State.REPLAY: frozenset({State.RAW}),
    State.DISCARDED: frozenset(),
}
"""What may follow each state. Without an online store, SinkCommitted and Archived are one snapshot."""
