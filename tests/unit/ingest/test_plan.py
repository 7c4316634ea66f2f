"""What a micro-batch reads, and when planning refuses."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest.limits import Limits
from pipeline.ingest.model import Range, TopicState
from pipeline.ingest.offset_checks import (
    ClusterChangedError,
    OffsetsAheadError,
    RetentionPassedError,
    TopicRecreatedError,
)
from pipeline.ingest.plan import plan
from pipeline.kafka.identity import TopicIdentity
from pipeline.tables.offsets import CommittedOffsets

SUBJECT = "product/us"


def identity(partitions: int = 1, **changes: str) -> TopicIdentity:
    known = {"cluster_id": "cluster", "topic": "topic", "topic_id": "id", **changes}
    return TopicIdentity(**known, partitions=tuple(range(partitions)))


def topic(
    earliest: dict[int, int], stable: dict[int, int], who: TopicIdentity | None = None
) -> TopicState:
    return TopicState(who or identity(len(stable)), earliest, stable, earliest)


def committed(
    next_: dict[int, int], first: dict[int, int] | None = None, **changes: str
) -> CommittedOffsets:
    known = {"cluster_id": "cluster", "topic": "topic", "topic_id": "id", **changes}
    return CommittedOffsets(
        **known,
        first=first or dict.fromkeys(next_, 0),
        next=next_,
        snapshot_id=1,
        committed_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def test_a_new_topic_is_read_from_its_start() -> None:
    planned = plan(SUBJECT, topic({0: 5}, {0: 9}), None, None, Limits(100))
    assert planned.ranges == (Range(0, 5, 9),)
    assert planned.first == {0: 5}
    assert planned.lag == 4


def test_a_known_topic_is_read_from_the_committed_offset_to_the_last_stable_one() -> None:
    at = committed({0: 7})
    planned = plan(SUBJECT, topic({0: 0}, {0: 9}), at, at, Limits(100))
    assert planned.ranges == (Range(0, 7, 9),)
    assert planned.repairs == planned.redone == ()


def test_a_partition_added_later_is_read_from_its_beginning_even_if_the_contract_says_latest() -> (
    None
):
    at = committed({0: 7})
    state = TopicState(identity(2), {0: 0, 1: 0}, {0: 7, 1: 4}, {0: 7, 1: 4})
    assert plan(SUBJECT, state, at, at, Limits(100)).ranges == (Range(1, 0, 4),)


def test_nothing_is_read_beyond_the_targets() -> None:
    at = committed({0: 7, 1: 2})
    state = topic({0: 0, 1: 0}, {0: 20, 1: 20})
    planned = plan(SUBJECT, state, at, at, Limits(100), targets={0: 9, 1: 2})
    assert planned.ranges == (Range(0, 7, 9),)
    assert planned.lag == 2


def test_targets_that_another_ingest_has_passed_are_reached() -> None:
    at = committed({0: 7})
    planned = plan(SUBJECT, topic({0: 0}, {0: 9}), at, at, Limits(100), targets={0: 5})
    assert planned.is_empty
    assert planned.lag == 0


def test_what_the_dead_letters_already_claim_is_redone() -> None:
    planned = plan(
        SUBJECT, topic({0: 0}, {0: 9}), committed({0: 2}), committed({0: 5}), Limits(100)
    )
    assert planned.redone == (Range(0, 2, 5),)


def test_what_only_events_hold_is_repaired() -> None:
    planned = plan(
        SUBJECT, topic({0: 0}, {0: 9}), committed({0: 5}), committed({0: 2}), Limits(100)
    )
    assert planned.repairs == (Range(0, 2, 5),)


def test_another_cluster_is_refused() -> None:
    at = committed({0: 2}, cluster_id="other")
    with pytest.raises(ClusterChangedError, match="cluster other"):
        plan(SUBJECT, topic({0: 0}, {0: 9}), at, None, Limits(100))


def test_a_recreated_topic_is_refused() -> None:
    at = committed({0: 2}, topic_id="older")
    with pytest.raises(TopicRecreatedError, match="older"):
        plan(SUBJECT, topic({0: 0}, {0: 9}), at, None, Limits(100))


def test_an_end_before_the_committed_offset_is_refused() -> None:
    with pytest.raises(OffsetsAheadError, match="ends at 9"):
        plan(SUBJECT, topic({0: 0}, {0: 9}), committed({0: 10}), None, Limits(100))


def test_it_documents_these_refusals_and_no_others() -> None:
    refusals = (ClusterChangedError, TopicRecreatedError, OffsetsAheadError, RetentionPassedError)
    documented = re.findall(r"\w+Error", plan.__doc__ or "")
    assert sorted(documented) == sorted(one.__name__ for one in refusals)


def test_records_deleted_before_they_were_ingested_are_never_skipped_in_silence() -> None:
    with pytest.raises(RetentionPassedError, match=r"2\.\.4"):
        plan(SUBJECT, topic({0: 4}, {0: 9}), committed({0: 2}), None, Limits(100))


@given(
    backlog=st.dictionaries(st.integers(0, 7), st.integers(0, 1000), min_size=1),
    budget=st.integers(1, 2000),
)
def test_a_batch_keeps_its_limit_and_always_moves(backlog: dict[int, int], budget: int) -> None:
    partitions = dict.fromkeys(range(max(backlog) + 1), 0)
    stable = {p: backlog.get(p, 0) for p in partitions}
    ranges = plan(SUBJECT, topic(partitions, stable), None, None, Limits(budget)).ranges
    taken = sum(len(r) for r in ranges)
    assert taken == min(budget, sum(stable.values()))
    assert all(r.end <= stable[r.partition] for r in ranges)
