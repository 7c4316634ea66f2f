"""What the next micro-batch reads: a pure function of what is committed and what Kafka holds."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.ingest.limits import Limits
from pipeline.ingest.model import Plan, Range, TopicState
from pipeline.ingest.offset_checks import check_offsets_available, check_same_topic
from pipeline.tables.offsets import CommittedOffsets


def plan(
    subject: str,
    topic: TopicState,
    events: CommittedOffsets | None,
    dead_letters: CommittedOffsets | None,
    limits: Limits,
    targets: Mapping[int, int] | None = None,
) -> Plan:
    """Return the next micro-batch, not beyond `targets` (partition -> offset), or refuse.

    Raises:
        ClusterChangedError, TopicRecreatedError: the tables hold another topic's offsets.
        OffsetsAheadError: Kafka ends before the committed offset.
        RetentionPassedError: Kafka's retention has passed the committed offset.
    """
    for committed in (events, dead_letters):
        if committed is not None:
            check_same_topic(subject, topic.identity, committed)
    partitions = topic.identity.partitions
    committed_next = {} if events is None else events.next
    committed_first = {} if events is None else events.first
    # A partition that appeared after the first commit is new in whole: `start` speaks of the topic.
    begin = topic.start if events is None else topic.earliest
    next_ = {p: committed_next.get(p, begin[p]) for p in partitions}
    first = {p: committed_first.get(p, next_[p]) for p in partitions}
    dead_letters_next = {
        p: first[p] if dead_letters is None else dead_letters.next.get(p, first[p])
        for p in partitions
    }
    check_offsets_available(subject, next_, topic.earliest, topic.stable)
    # Others may have gone beyond our targets: then nothing is left to do, and nothing is lost.
    aim = {
        p: max(next_[p], min(topic.stable[p], (targets or topic.stable).get(p, topic.stable[p])))
        for p in partitions
    }
    ends = _share(next_, aim, limits.max_records)
    return Plan(
        identity=topic.identity,
        ranges=tuple(Range(p, next_[p], ends[p]) for p in partitions if ends[p] > next_[p]),
        repairs=tuple(
            Range(p, dead_letters_next[p], next_[p])
            for p in partitions
            if dead_letters_next[p] < next_[p]
        ),
        first=first,
        next=next_,
        dead_letters_next=dead_letters_next,
        lag=sum(aim[p] - next_[p] for p in partitions),
        redone=tuple(
            Range(p, next_[p], min(dead_letters_next[p], ends[p]))
            for p in partitions
            if dead_letters_next[p] > next_[p] and ends[p] > next_[p]
        ),
    )


def _share(start: Mapping[int, int], stable: Mapping[int, int], budget: int) -> dict[int, int]:
    """Give every partition an equal part of the budget, and what some leave to the others."""
    ends = {}
    waiting = sorted(start, key=lambda p: stable[p] - start[p])
    for i, partition in enumerate(waiting):
        share = max(1, budget // (len(waiting) - i)) if budget > 0 else 0
        taken = min(stable[partition] - start[partition], share)
        ends[partition] = start[partition] + taken
        budget -= taken
    return ends
