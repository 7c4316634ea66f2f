"""Which hours are kept no longer, what is said of those deleted, and what a recount makes of it."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.clock import HOUR
from pipeline.ledger.model import Totals
from pipeline.ledger.recount import Recount, disagreements, unproven
from pipeline.ledger.retention import DeletedRows, RetentionAccount
from pipeline.maintenance.need import Step, TableFacts, plan_due
from pipeline.maintenance.plan import MaintenancePolicy
from pipeline.maintenance.retention.plan import HOURS_AT_ONCE, ExpiredHour, plan_retention
from pipeline.tables.versioned_property import PropertyNewerError
from tests.support.orders import hour

POLICY = MaintenancePolicy(keep_rows=10 * HOUR)
NOW = hour(40) + timedelta(minutes=59)
HORIZON = hour(30)


def facts(**of: object) -> TableFacts:
    known = {"snapshots": 1, "expirable": 0, "files": 1, "files_left": 1, "swept_at": NOW}
    return TableFacts("orders.events", **{**known, **of})  # type: ignore[arg-type]


def test_an_hour_is_kept_until_all_of_it_is_older_than_the_contract_says() -> None:
    assert POLICY.horizon(NOW) == HORIZON
    assert POLICY.horizon(hour(40)) == HORIZON
    assert POLICY.horizon(hour(40) - timedelta(microseconds=1)) == hour(29)
    assert MaintenancePolicy().horizon(NOW) is None


def test_it_is_due_once_an_hour_is_past_and_not_again_for_hours() -> None:
    def due(**of: object) -> list[str]:
        return [one.reason for one in plan_due([facts(**of)], POLICY, NOW)]

    assert due() == []
    assert due(oldest_hour=HORIZON) == []
    said = ["rows from 2026-01-02T05 on, kept are those from 2026-01-02T06 on"]
    assert due(oldest_hour=hour(29)) == said
    assert due(oldest_hour=hour(29), retention_at=NOW - timedelta(hours=5)) == []
    assert due(oldest_hour=hour(29), retention_at=NOW - timedelta(hours=6)) == said
    forever = facts(oldest_hour=hour(1))
    assert plan_due([forever], MaintenancePolicy(), NOW) == ()


def test_it_comes_before_files_are_compacted_that_it_deletes() -> None:
    worn = facts(oldest_hour=hour(1), files=1000)
    steps = [one.step for one in plan_due([worn], POLICY, NOW)]
    assert steps == [Step.RETENTION, Step.COMPACT]


hours = st.lists(st.integers(-50, 60), unique=True).map(
    lambda found: [ExpiredHour(hour(one), one % 7, 1 + one % 3, 100) for one in found]
)


@given(hours)
def test_commits_take_every_hour_that_is_past_once_and_oldest_first(of: list[ExpiredHour]) -> None:
    plan = plan_retention(of, HORIZON)
    commits = list(plan.commits())
    taken = [one for commit in commits for one in commit.hours]
    assert taken == sorted((o for o in of if o.hour < HORIZON), key=lambda one: one.hour)
    assert (plan.rows, plan.files) == (sum(o.rows for o in taken), sum(o.files for o in taken))
    assert all(0 < len(commit.hours) <= HOURS_AT_ONCE for commit in commits)
    for commit, following in pairwise(commits):
        assert commit.hours[-1].hour < commit.before <= following.hours[0].hour
    assert not commits or commits[-1].before == HORIZON


accounts = st.lists(
    st.tuples(
        st.integers(0, 40).map(hour),
        st.dictionaries(st.integers(0, 3), st.tuples(st.integers(1, 9), st.integers(0, 99))),
    ),
    max_size=8,
)


@given(accounts)
def test_an_account_is_the_sum_of_what_it_was_told(
    told: list[tuple[object, dict[int, tuple[int, int]]]],
) -> None:
    account = RetentionAccount()
    for before, counts in told:
        deleted = [DeletedRows(p, rows, at, at + rows) for p, (rows, at) in counts.items()]
        account = account.extended(before, NOW, deleted)  # type: ignore[arg-type]
    assert account == RetentionAccount.from_json(account.to_json())
    assert account.before == max((before for before, _ in told), default=None)  # type: ignore[type-var]
    for partition in range(4):
        every = [counts[partition] for _, counts in told if partition in counts]
        assert account.rows_of(partition) == sum(rows for rows, _ in every)
        for one in account.deleted:
            if one.partition == partition:
                assert one.start == min(at for _, at in every)
                assert one.end == max(at + rows for rows, at in every)
    assert account.rows == sum(map(account.rows_of, range(4)))


def test_an_account_of_a_newer_format_is_refused() -> None:
    with pytest.raises(PropertyNewerError, match="newer than 1"):
        RetentionAccount.from_json('{"format": 2}')


small = st.integers(0, 5)


@given(kept=small, deleted=small, twins=small, duplicates_past=small, lost=small, late=small)
def test_a_recount_agrees_with_honest_deletion_and_with_nothing_else(
    kept: int, deleted: int, twins: int, duplicates_past: int, lost: int, late: int
) -> None:
    """Of a topic that Kafka holds all of: rows kept and deleted, duplicates of both, and rows just gone."""
    duplicates = twins + duplicates_past
    entries = Totals(
        offsets=kept + deleted + lost + late + duplicates,
        rows=kept + deleted + lost + late,
        duplicates=duplicates,
    )
    found = Recount(
        partition=0,
        earliest=0,
        readable=entries.offsets,
        rows=kept,
        dead_letters=0,
        doubled=0,
        twins=twins,
        # Of hours that retention has deleted nobody can tell a row that was lost from one that was deleted,
        # but by their number.
        past_retention=deleted + duplicates_past + lost,
        passed_over=late,
        removed=None,
    )
    problems = list(disagreements(found, entries, 0, deleted))
    assert bool(problems) == bool(lost or late)
    assert list(unproven(found, entries, deleted)) == []


def test_what_is_gone_from_kafka_is_said_to_be_unproven() -> None:
    entries = Totals(offsets=12, rows=10, duplicates=2)
    found = Recount(0, 9, 3, 3, 0, 0)
    assert list(disagreements(found, entries, 0, 7)) == []
    (said,) = unproven(found, entries, 7)
    assert "9 duplicates, or rows that retention has deleted, are gone from Kafka" in said


def test_rows_that_never_were_in_kafka_are_made_up_though_retention_deleted_them() -> None:
    entries = Totals(offsets=10, rows=10)
    found = Recount(0, 0, 9, 3, 0, 0, past_retention=6, removed=0)
    (said,) = disagreements(found, entries, 0, 7)
    assert "7 rows that retention has deleted, of which 1 were never in Kafka" in said
