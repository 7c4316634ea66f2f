"""What an event is now, in a word and in a sentence. Pure."""

from __future__ import annotations

from pipeline.dead_letters.states import Fate
from pipeline.trace.model import Answer, DeadLetter, Facts, Row

_ON_THE_WAY = (Fate.CLAIMED, Fate.SENT)
# Of `Reason`, whose module brings all that decodes: only who has a dead letter loads that.
_QUARANTINED = "quarantined"


def answer_of(facts: Facts) -> Answer:
    """Return the answer: of all that there is of an event, what is furthest in its life."""
    live = [row for row in facts.rows if row.deletion is None]
    if live:
        return Answer.LATE if all(row.late for row in live) else Answer.ROW
    if facts.rows:
        return Answer.DELETED
    if facts.letters:
        return _of_letters(facts)
    if any(copy.commit is None for copy in facts.search.copies):
        return Answer.WAITING
    return Answer.DUPLICATE if facts.search.copies else Answer.UNKNOWN


def _of_letters(facts: Facts) -> Answer:
    fates = {letter.fate for letter in facts.letters}
    if fates & {*_ON_THE_WAY}:
        return Answer.REPLAY
    opened = [letter for letter in facts.letters if letter.fate is Fate.OPEN]
    if opened:
        held = all(letter.reason == _QUARANTINED for letter in opened)
        return Answer.QUARANTINED if held else Answer.DEAD_LETTER
    if Fate.LANDED in fates:
        # Its row is there no more.
        return Answer.DELETED if facts.retention.rows else Answer.DUPLICATE
    return Answer.DISCARDED if Fate.DISCARDED in fates else Answer.DEAD_LETTER


def summary_of(answer: Answer, facts: Facts) -> str:
    """Return the answer in a sentence."""
    if answer in (Answer.ROW, Answer.LATE):
        return _rows([row for row in facts.rows if row.deletion is None])
    if answer is Answer.DELETED:
        return _deleted(facts)
    if answer is Answer.UNKNOWN:
        return _unknown(facts)
    if answer is Answer.WAITING:
        return "it is in Kafka, and not ingested yet"
    if answer is Answer.DUPLICATE:
        return "its record was dropped as a duplicate, and its row is not there any more"
    return _letters(answer, facts.letters)


def _rows(rows: list[Row]) -> str:
    first = rows[0]
    late = ", which came late" if first.late else ""
    told = f"it is a row of events{late}"
    if first.commit is not None:
        told += f", since snapshot {first.commit.snapshot_id}"
    if first.origin is not None:
        told += f", by replay {first.replay_id}"
    more = len(rows) - 1
    return told if not more else f"{told}; and {more} more of other event times"


def _deleted(facts: Facts) -> str:
    for row in facts.rows:
        if row.deletion is not None:
            return (
                f"it was a row of events, which retention has deleted with snapshot "
                f"{row.deletion.snapshot_id}"
            )
    return "a replay of it became a row of events, which retention has deleted"


def _letters(answer: Answer, letters: tuple[DeadLetter, ...]) -> str:
    last = letters[-1]
    reasons = ", ".join(dict.fromkeys(letter.reason for letter in letters))
    return {
        Answer.REPLAY: f"it is a dead letter ({reasons}), on its way back to the topic",
        Answer.QUARANTINED: "somebody set its offset aside: it is a dead letter, quarantined",
        Answer.DISCARDED: f"it is a dead letter ({reasons}), discarded",
    }.get(answer, f"it is a dead letter ({reasons}) at {last.place}, and open")


def _unknown(facts: Facts) -> str:
    told = "no row, no dead letter and no record that waits has it"
    if facts.search.trouble:
        told = "no row and no dead letter has it, and Kafka could not be asked"
    retention = facts.retention
    if retention.rows and retention.before is not None:
        told += (
            f"; retention has deleted {retention.rows:,} rows of hours before "
            f"{retention.before:%Y-%m-%dT%H}, of which it may have been one"
        )
    return told
