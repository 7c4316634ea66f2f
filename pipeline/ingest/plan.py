"""What the next micro-batch reads: a pure function of what is committed and what Kafka holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.ingest import refusals
from pipeline.ingest.limits import Limits
from pipeline.kafka.identity import TopicIdentity
from pipeline.tables.offsets import CommittedOffsets


@dataclass(frozen=True)
class TopicState:
    """What Kafka holds of a topic: partition -> offset.

    Attributes:
        earliest: the first offset that is still there.
        stable: the last stable offset; beyond it lie open transactions.
        start: where the contract says to begin a partition that was never read.
    """

    identity: TopicIdentity
    earliest: Mapping[int, int]
    stable: Mapping[int, int]
    start: Mapping[int, int]


@dataclass(frozen=True)
class Range:
    """The offsets [start, end) of one partition."""

    partition: int
    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start


@dataclass(frozen=True)
class Plan:
    """One micro-batch.

    Attributes:
        ranges: what is read and becomes rows, dead letters and duplicates.
        repairs: ranges that events hold but the dead letters table does not: read again for it alone.
        first, next: every partition's offsets as they are before the batch.
        side_next: the same of the dead letters table.
        lag: offsets that wait in Kafka, this batch included; no further than what was aimed at.
    """

    identity: TopicIdentity
    ranges: tuple[Range, ...]
    repairs: tuple[Range, ...]
    first: Mapping[int, int]
    next: Mapping[int, int]
    side_next: Mapping[int, int]
    lag: int
    redone: tuple[Range, ...] = field(default=())

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to read."""
        return not self.ranges and not self.repairs


def plan(
    subject: str,
    topic: TopicState,
    events: CommittedOffsets | None,
    side: CommittedOffsets | None,
    limits: Limits,
    targets: Mapping[int, int] | None = None,
) -> Plan:
    """Return the next micro-batch, not beyond `targets` (partition -> offset), or refuse.

    Raises:
        ClusterChangedError, TopicRecreatedError: the tables hold another topic's offsets.
        OffsetsAheadError: Kafka ends before the committed offset.
        RetentionPassedError: Kafka's retention has passed the committed offset.
    """
    for committed in (events, side):
        if committed is not None:
            refusals.refuse_other_topic(subject, topic.identity, committed)
    partitions = topic.identity.partitions
    committed_next = {} if events is None else events.next
    committed_first = {} if events is None else events.first
    # A partition that appeared after the first commit is new in whole: `start` speaks of the topic.
    begin = topic.start if events is None else topic.earliest
    next_ = {p: committed_next.get(p, begin[p]) for p in partitions}
    first = {p: committed_first.get(p, next_[p]) for p in partitions}
    side_next = {p: first[p] if side is None else side.next.get(p, first[p]) for p in partitions}
    refusals.refuse_lost_offsets(subject, next_, topic.earliest, topic.stable)
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
            Range(p, side_next[p], next_[p]) for p in partitions if side_next[p] < next_[p]
        ),
        first=first,
        next=next_,
        side_next=side_next,
        lag=sum(aim[p] - next_[p] for p in partitions),
        redone=tuple(
            Range(p, next_[p], min(side_next[p], ends[p]))
            for p in partitions
            if side_next[p] > next_[p] and ends[p] > next_[p]
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
