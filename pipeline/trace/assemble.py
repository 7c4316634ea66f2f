"""From facts to a trace: a pure function."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.dead_letters.states import LetterState
from pipeline.event_state import State
from pipeline.trace.answer import answer_of, summary_of
from pipeline.trace.model import Copy, DeadLetter, Facts, Headers, Milestone, Row, Trace

_AFTER_ENRICHMENT = frozenset({"stale", "ahead"})
"""The values of `Reason` that a record is given once it is enriched; all others come before."""


def assemble(facts: Facts) -> Trace:
    """Return the life that `facts` tell of: each state of each record, row and dead letter of the event.

    In the order of their times; states of one time in the order of the state machine.
    """
    milestones = [
        *(one for letter in facts.letters for one in _of_letter(letter)),
        *(one for row in facts.rows for one in _of_row(row)),
        *(_of_copy(copy) for copy in facts.search.copies if copy.commit is None),
    ]
    order = {state: number for number, state in enumerate(State)}
    milestones.sort(key=lambda one: (one.at is None, one.at or facts.looked_at, order[one.state]))
    answer = answer_of(facts)
    return Trace(answer, summary_of(answer, facts), tuple(milestones), facts)


def _of_row(row: Row) -> Iterator[Milestone]:
    origin = "" if row.origin is None else f", replayed from {row.origin} by {row.replay_id}"
    yield Milestone(
        State.RAW,
        row.record_time,
        row.place,
        f"record {row.place} of topic {row.topic}{origin}",
        {"topic": row.topic, "topic_id": row.place.topic_id, **_headers(row.headers)},
    )
    commit = row.commit
    references = None if commit is None else commit.references
    yield Milestone(
        State.ENRICHED,
        row.ingested_at,
        row.place,
        f"in a micro-batch of run {row.run_id}" + _referring(references),
        {"run_id": row.run_id, "schema_version": row.schema_version, "references": references},
    )
    version = None if commit is None else commit.contract_version
    contract = "the contract" if version is None else f"contract {version}"
    late = ", late" if row.late else ""
    yield Milestone(
        State.VALIDATED,
        row.ingested_at,
        row.place,
        f"passed the gates of {contract}{late}",
        {
            "contract_version": version,
            "code_version": None if commit is None else commit.code_version,
            "late": row.late,
        },
    )
    if commit is None:
        return
    kept = "" if commit.retained else ", which has expired since"
    evidence = {
        "snapshot_id": commit.snapshot_id,
        "sequence_number": commit.sequence_number,
        "run_id": row.run_id,
        "retained": commit.retained,
        "offsets": [commit.entry.start, commit.entry.end],
    }
    for state, what in ((State.SINK_COMMITTED, "row of events"), (State.ARCHIVED, "archived")):
        told = f"{what}, by snapshot {commit.snapshot_id}{kept}"
        yield Milestone(state, commit.committed_at, row.place, told, evidence)


def _referring(references: object) -> str:
    if not isinstance(references, dict) or not references:
        return ""
    told = ", ".join(f"{name} {digest[:12]}" for name, digest in sorted(references.items()))
    return f", with {told}"


def _of_letter(letter: DeadLetter) -> Iterator[Milestone]:
    origin = "" if letter.replay_id is None else f", replayed from {letter.origin}"
    yield Milestone(
        State.RAW,
        letter.record_time,
        letter.place,
        f"record {letter.place} of topic {letter.topic}{origin}",
        {"topic": letter.topic, "topic_id": letter.place.topic_id, **_headers(letter.headers)},
    )
    if letter.reason in _AFTER_ENRICHMENT:
        yield Milestone(
            State.ENRICHED,
            letter.ingested_at,
            letter.place,
            f"in a micro-batch of run {letter.run_id}",
            {"run_id": letter.run_id},
        )
    yield Milestone(
        State.DEAD_LETTER,
        letter.ingested_at,
        letter.place,
        f"{letter.reason}: {letter.detail}",
        {
            "reason": letter.reason,
            "run_id": letter.run_id,
            "fate": letter.fate.value,
            "snapshot_id": None if letter.commit is None else letter.commit.snapshot_id,
        },
    )
    for step in letter.steps:
        evidence = {"action_id": step.action_id, "step": step.state}
        if step.state == LetterState.CLAIMED:
            yield Milestone(
                State.REPLAY, step.at, letter.place, f"chosen by {step.action_id}", evidence
            )
        elif step.state == LetterState.DISCARDED:
            yield Milestone(
                State.DISCARDED, step.at, letter.place, f"by {step.action_id}", evidence
            )
        elif step.state == LetterState.RELEASED:
            told = f"the claim of {step.action_id} is void: Kafka refuses it"
            yield Milestone(State.DEAD_LETTER, step.at, letter.place, told, evidence)
        elif step.state == LetterState.SENT:
            sent = {**evidence, "replayed": f"{step.partition}/{step.offset}", "found": step.found}
            told = f"sent to {step.partition}/{step.offset}: {step.found}"
            yield Milestone(State.REPLAY, step.at, letter.place, told, sent)


def _of_copy(copy: Copy) -> Milestone:
    return Milestone(
        State.RAW,
        copy.record_time,
        copy.place,
        f"record {copy.place}, not ingested yet",
        {"topic_id": copy.place.topic_id, **_headers(copy.headers)},
    )


def _headers(headers: Headers) -> dict[str, str | None]:
    return {
        "producer": headers.producer,
        "job_id": headers.job_id,
        "traceparent": headers.traceparent,
    }
