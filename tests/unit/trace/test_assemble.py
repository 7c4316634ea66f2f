"""What is told of an event: one case for each state that facts can put it in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.dead_letters.fate import Fate
from pipeline.dead_letters.look.letter import Step
from pipeline.event_state import State
from pipeline.ingest.transform.records import Reason
from pipeline.ledger.model import Entry
from pipeline.ledger.retention import DeletedRows, RetentionAccount
from pipeline.trace.answer import _QUARANTINED
from pipeline.trace.assemble import _AFTER_ENRICHMENT, assemble
from pipeline.trace.commits import Commit
from pipeline.trace.model import (
    Answer,
    Copy,
    DeadLetter,
    Deletion,
    Facts,
    Headers,
    Match,
    Place,
    Row,
    Search,
)

T0 = datetime(2026, 1, 1, 12, tzinfo=UTC)
PLACE, AGAIN = Place("t", 0, 7), Place("t", 0, 9)
TOLD = Headers("gateway", "job", None)
COMMIT = Commit(
    41,
    3,
    Entry(partition=0, start=5, end=10, rows=4, duplicates=1),
    T0,
    "run",
    "1.2.0",
    {"content": "d" * 64},
    True,
)
ROW = Row(
    topic="plays",
    place=PLACE,
    uuid="u",
    record_time=T0 - timedelta(seconds=9),
    ingested_at=T0 - timedelta(seconds=1),
    run_id="run",
    event_time=T0 - timedelta(seconds=10),
    schema_version=1,
    late=False,
    unlisted=False,
    headers=TOLD,
    replay_id=None,
    origin=None,
    commit=COMMIT,
)
LETTER = DeadLetter(
    topic="plays",
    place=PLACE,
    record_time=T0 - timedelta(minutes=9),
    ingested_at=T0 - timedelta(minutes=8),
    run_id="run",
    reason="undecodable",
    detail="broken",
    headers=TOLD,
    origin=PLACE,
    replay_id=None,
    fate=Fate.OPEN,
    steps=(),
    commit=None,
    match=Match.DECODED,
)
AT = T0 - timedelta(minutes=5)
CLAIMED = Step("claimed", AT, "replay-1", None, None, "")
SENT = Step("sent", AT, "replay-1", 0, 9, "not ingested yet")
DISCARDED = Step("discarded", AT, "discard-1", None, None, "")
REPLAYED = replace(ROW, place=AGAIN, origin=PLACE, replay_id="replay-1", late=True)
LANDED = replace(LETTER, fate=Fate.LANDED, steps=(CLAIMED, replace(SENT, found="row of events")))
COPY = Copy(AGAIN, T0, TOLD, Match.DECODED, None)
GONE = RetentionAccount(T0, T0, (DeletedRows(0, 10, 0, 10),))
NOTHING = Facts("plays", "us", "u", T0)
STORED = [State.ENRICHED, State.VALIDATED, State.SINK_COMMITTED, State.ARCHIVED]
DEAD = [State.RAW, State.DEAD_LETTER]


@pytest.mark.parametrize(
    ("facts", "answer", "states", "words"),
    [
        (NOTHING, Answer.UNKNOWN, [], "no row, no dead letter"),
        (replace(NOTHING, search=Search(trouble="gone")), Answer.UNKNOWN, [], "not be asked"),
        (replace(NOTHING, retention=GONE), Answer.UNKNOWN, [], "deleted 10 rows"),
        (replace(NOTHING, rows=(ROW,)), Answer.ROW, [State.RAW, *STORED], "since snapshot 41"),
        (
            replace(NOTHING, rows=(replace(ROW, late=True),)),
            Answer.LATE,
            [State.RAW, *STORED],
            "came late",
        ),
        (
            replace(NOTHING, rows=(replace(ROW, commit=None),)),
            Answer.ROW,
            [State.RAW, *STORED[:2]],
            "row of events",
        ),
        (
            replace(NOTHING, rows=(replace(ROW, deletion=Deletion(44, T0)),)),
            Answer.DELETED,
            [State.RAW, *STORED],
            "deleted with snapshot 44",
        ),
        (replace(NOTHING, letters=(LETTER,)), Answer.DEAD_LETTER, DEAD, "at 0/7, and open"),
        (
            replace(NOTHING, letters=(replace(LETTER, reason="stale"),)),
            Answer.DEAD_LETTER,
            [State.RAW, State.ENRICHED, State.DEAD_LETTER],
            "(stale)",
        ),
        (
            replace(NOTHING, letters=(replace(LETTER, reason="quarantined"),)),
            Answer.QUARANTINED,
            DEAD,
            "set its offset aside",
        ),
        (
            replace(NOTHING, letters=(replace(LETTER, fate=Fate.DISCARDED, steps=(DISCARDED,)),)),
            Answer.DISCARDED,
            [*DEAD, State.DISCARDED],
            "discarded",
        ),
        (
            replace(NOTHING, letters=(replace(LETTER, fate=Fate.CLAIMED, steps=(CLAIMED,)),)),
            Answer.REPLAY,
            [*DEAD, State.REPLAY],
            "on its way back",
        ),
        (
            replace(NOTHING, letters=(replace(LETTER, fate=Fate.SENT, steps=(CLAIMED, SENT)),)),
            Answer.REPLAY,
            [*DEAD, State.REPLAY, State.REPLAY],
            "on its way back",
        ),
        (
            replace(NOTHING, letters=(LANDED,), rows=(REPLAYED,)),
            Answer.LATE,
            [*DEAD, State.REPLAY, State.REPLAY, State.RAW, *STORED],
            "by replay replay-1",
        ),
        (
            replace(NOTHING, letters=(LANDED,), retention=GONE),
            Answer.DELETED,
            [*DEAD, State.REPLAY, State.REPLAY],
            "retention has deleted",
        ),
        (replace(NOTHING, search=Search(copies=(COPY,))), Answer.WAITING, [State.RAW], "ingested"),
        (
            replace(NOTHING, search=Search(copies=(replace(COPY, commit=COMMIT),))),
            Answer.DUPLICATE,
            [],
            "dropped as a duplicate",
        ),
    ],
)
def test_facts_have_one_answer_and_their_states_in_order(
    facts: Facts, answer: Answer, states: list[State], words: str
) -> None:
    found = assemble(facts)
    assert (found.answer, [one.state for one in found.milestones]) == (answer, states)
    assert words in found.summary
    assert answer.is_known is (answer is not Answer.UNKNOWN)
    times = [one.at for one in found.milestones]
    assert times == sorted(times, key=lambda at: at or T0)


def test_the_evidence_names_coordinates_headers_versions_and_the_snapshot() -> None:
    by_state = {one.state: one for one in assemble(replace(NOTHING, rows=(ROW,))).milestones}
    assert by_state[State.RAW].evidence == {
        "topic": "plays",
        "topic_id": "t",
        "producer": "gateway",
        "job_id": "job",
        "traceparent": None,
    }
    assert by_state[State.VALIDATED].evidence["contract_version"] == "1.2.0"
    assert by_state[State.ENRICHED].evidence["references"] == COMMIT.references
    assert by_state[State.ARCHIVED].evidence["snapshot_id"] == 41
    assert by_state[State.ARCHIVED].evidence["offsets"] == [5, 10]


def test_reasons_that_are_spelled_out_are_reasons() -> None:
    assert {*_AFTER_ENRICHMENT, _QUARANTINED} <= {reason.value for reason in Reason}
