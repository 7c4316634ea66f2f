"""Which snapshots may go: what is held stays, whatever else is true of it."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pipeline.maintenance.plan import MaintenancePolicy
from pipeline.maintenance.snapshots import (
    Lineage,
    SnapshotAge,
    expirable_snapshots,
    passing_commits,
)

NOW = datetime(2026, 11, 28, tzinfo=UTC)
POLICY = MaintenancePolicy(
    retain=timedelta(hours=1),
    retain_commits=timedelta(minutes=5),
    retain_last=2,
    retain_staged=timedelta(hours=7),
)


@st.composite
def lineages(draw: st.DrawFn) -> Lineage:
    ages = sorted(draw(st.lists(st.integers(0, 600), min_size=1, max_size=20)))
    history = [
        SnapshotAge(
            snapshot_id=number,
            sequence_number=len(ages) - number,
            committed_at=NOW - timedelta(minutes=age),
            carried=number > 0 and draw(st.booleans()),
            current_until=NOW - timedelta(minutes=ages[number - 1]) if number else None,
        )
        for number, age in enumerate(ages)
    ]
    others = [
        SnapshotAge(
            1000 + number,
            draw(st.integers(0, 30)),
            NOW - timedelta(minutes=draw(st.integers(0, 600))),
            staged=draw(st.booleans()),
        )
        for number in range(draw(st.integers(0, 5)))
    ]
    ids = [one.snapshot_id for one in (*history, *others)]
    return Lineage(
        history,
        others,
        protected=frozenset(draw(st.sets(st.sampled_from(ids), max_size=4))),
        whole_to=frozenset(draw(st.sets(st.sampled_from([*ids, 5000]), max_size=2))),
        archived_through=draw(st.one_of(st.none(), st.integers(0, 30))),
    )


@given(lineages())
def test_nothing_that_is_held_may_go(lineage: Lineage) -> None:
    going = set(expirable_snapshots(lineage, NOW, POLICY))
    order = [one.snapshot_id for one in lineage.history]
    assert not going & lineage.protected
    assert not going & set(order[: POLICY.retain_last])
    for needed in lineage.whole_to & set(order):
        assert not going & set(order[: order.index(needed) + 1]), "history has a gap before it"
    through = lineage.archived_through
    for one in (*lineage.history, *lineage.others):
        if one.snapshot_id in going:
            assert one.last_opened_at < NOW - POLICY.retain_commits
            assert one.carried or one.last_opened_at < NOW - POLICY.retain
            assert not one.staged or one.last_opened_at < NOW - POLICY.retain_staged
            assert through is None or one.sequence_number <= through


@given(lineages())
def test_what_is_old_and_not_held_goes(lineage: Lineage) -> None:
    going = set(expirable_snapshots(lineage, NOW, POLICY))
    kept = [one for one in lineage.history[2:] if one.snapshot_id not in going]
    order = [one.snapshot_id for one in lineage.history]
    whole = max((order.index(one) for one in lineage.whole_to if one in order), default=-1)
    for one in kept:
        assert (
            one.snapshot_id in lineage.protected
            or order.index(one.snapshot_id) <= whole
            or one.last_opened_at >= NOW - POLICY.retain
            or (
                lineage.archived_through is not None
                and one.sequence_number > lineage.archived_through
            )
        )


@given(lineages())
def test_passing_commits_are_some_of_these_and_all_of_them_carried(lineage: Lineage) -> None:
    passing = passing_commits(lineage, NOW, POLICY)
    assert set(passing) <= set(expirable_snapshots(lineage, NOW, POLICY))
    carried = {one.snapshot_id for one in lineage.history if one.carried}
    assert set(passing) <= carried


@given(st.integers(1, 400))
def test_beside_an_ingest_that_commits_every_two_seconds_some_hundreds_stay(commits: int) -> None:
    policy = MaintenancePolicy()
    history = [
        SnapshotAge(n, commits - n, NOW - n * timedelta(seconds=2), carried=n > 0)
        for n in range(commits)
    ]
    left = commits - len(passing_commits(Lineage(history), NOW, policy))
    assert left <= 151


@given(lineages())
def test_of_what_needs_files_of_its_own_it_stays_known_until_when_it_was_mains(
    lineage: Lineage,
) -> None:
    going = set(expirable_snapshots(lineage, NOW, POLICY))
    for follower, one in itertools.pairwise(lineage.history):
        if one.snapshot_id not in going and not one.carried:
            readers = one.last_opened_at >= NOW - POLICY.retain
            assert follower.snapshot_id not in going or not readers


def test_a_snapshot_that_was_mains_for_long_stays_as_long_after_it_as_any_other() -> None:
    def lineage(since: timedelta) -> Lineage:
        went_on = NOW - since
        compacted, old = (
            SnapshotAge(1, 2, went_on, carried=True, current_until=went_on),
            SnapshotAge(2, 1, NOW - timedelta(days=9), current_until=went_on),
        )
        return Lineage([SnapshotAge(0, 3, went_on), compacted, old])

    policy = replace(POLICY, retain_last=1)
    assert expirable_snapshots(lineage(timedelta(minutes=59)), NOW, policy) == ()
    assert passing_commits(lineage(timedelta(minutes=59)), NOW, policy) == ()
    assert expirable_snapshots(lineage(timedelta(minutes=61)), NOW, policy) == (2, 1)


def test_the_oldest_goes_first() -> None:
    history = [SnapshotAge(n, 9 - n, NOW - timedelta(hours=n)) for n in range(9)]
    assert expirable_snapshots(Lineage(history), NOW, POLICY) == (8, 7, 6, 5, 4, 3, 2)
