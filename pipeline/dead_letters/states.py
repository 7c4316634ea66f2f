"""What may be noted of dead letters, and what may become of them; the columns that tell which they are.

Loads nothing else: who only asks whether there is a dead letter is spared what reads them.
"""

from __future__ import annotations

from enum import StrEnum

from pipeline.event_state import State

TOPIC = "_topic_id"
PLACE = ("_topic_partition", "_offset")
"""The columns that tell a dead letter of one topic."""
KEYS = (TOPIC, *PLACE)
"""The columns that tell a dead letter."""
ORIGIN = ("_origin_partition", "_origin_offset")
"""The columns that tell where its record stood first: its own place, unless it is of a replay."""


class LetterState(StrEnum):
    """What was noted of a dead letter: the column `state` of `dead_letter_states`. Never renamed."""

    CLAIMED = "claimed"
    """A replay has chosen it; the row holds what goes back to the topic."""
    SENT = "sent"
    """Kafka has acknowledged that, where the row says."""
    RELEASED = "released"
    """Kafka refuses what the replay has chosen: the claim is void."""
    DISCARDED = "discarded"
    """Somebody has decided that nothing is to be done."""


class Fate(StrEnum):
    """What became of a dead letter."""

    OPEN = "open"
    """Nothing was done with it."""
    CLAIMED = "claimed"
    """A replay has chosen it, and has not noted that it was sent."""
    SENT = "sent"
    """It was sent, and waits for ingest."""
    LANDED = "landed"
    """Its event is a row, by this replay or, if that was a duplicate, before."""
    RETURNED = "returned"
    """It was replayed, and is a dead letter again, of other coordinates."""
    DUPLICATE = "duplicate"
    """Another dead letter of the same record stands for it."""
    DISCARDED = "discarded"
    """Nothing is to be done."""

    @property
    def state(self) -> State:
        """The state of its event."""
        return _STATES[self]


_STATES = {
    Fate.OPEN: State.DEAD_LETTER,
    Fate.CLAIMED: State.REPLAY,
    Fate.SENT: State.RAW,
    Fate.LANDED: State.SINK_COMMITTED,
    Fate.RETURNED: State.DEAD_LETTER,
    Fate.DUPLICATE: State.DEAD_LETTER,
    Fate.DISCARDED: State.DISCARDED,
}
