"""What is due follows need; files nobody names are told from names alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pipeline.maintenance.need import DueStep, SkippedStep, Step, TableFacts, judge, plan_due
from pipeline.maintenance.orphans import StoredFile, plan_orphans
from pipeline.maintenance.plan import MaintenancePolicy

NOW = datetime(2026, 11, 28, tzinfo=UTC)
POLICY = MaintenancePolicy(due_snapshots=60, due_files=300, sweep_every=timedelta(days=1))
AGE = timedelta(hours=7)


def facts(**of: object) -> TableFacts:
    known = {"snapshots": 5, "expirable": 0, "files": 10, "files_left": 10, "swept_at": NOW}
    return TableFacts("orders.events", **{**known, **of})  # type: ignore[arg-type]


def steps(one: TableFacts) -> list[Step]:
    return [due.step for due in plan_due([one], POLICY, NOW)]


def test_nothing_is_due_of_a_table_that_has_not_changed() -> None:
    assert plan_due([facts(), facts()], POLICY, NOW) == ()


def test_each_step_is_due_by_its_own_need_and_says_which() -> None:
    worn = facts(
        snapshots=400,
        expirable=60,
        files=1310,
        files_left=1000,
        swept_at=NOW - timedelta(hours=30),
    )
    assert plan_due([worn], POLICY, NOW) == (
        DueStep(
            "orders.events", Step.COMPACT, "310 data files more than the 1,000 left last"
        ),
        DueStep("orders.events", Step.EXPIRE, "60 of 400 snapshots may go"),
        DueStep("orders.events", Step.SWEEP, "looked for orphan files 30 h ago"),
    )  # fmt: skip


def test_a_table_of_which_nothing_is_known_is_looked_through_once_it_has_some_commits() -> None:
    assert steps(facts(files_left=None, swept_at=None, commits=199)) == []
    assert steps(facts(files_left=None, swept_at=None, commits=200)) == [Step.SWEEP]


def test_what_was_left_says_nothing_once_there_are_fewer_files() -> None:
    assert steps(facts(files=400, files_left=1000)) == [Step.COMPACT]


def test_a_tag_of_somebody_who_was_killed_is_worth_an_expiry() -> None:
    assert steps(facts(outdated_tags=1)) == [Step.EXPIRE]


@given(st.integers(0, 2000), st.integers(0, 2000), st.integers(0, 200))
def test_more_wear_never_makes_less_due(files: int, more: int, expirable: int) -> None:
    before = set(steps(facts(files=1000 + files, files_left=1000, expirable=expirable)))
    after = steps(facts(files=1000 + files + more, files_left=1000, expirable=expirable + more))
    assert before <= set(after)


stored = st.builds(
    StoredFile,
    st.sampled_from([f"/table/data/{n}" for n in range(30)]),
    st.integers(0, 100),
    st.integers(0, 20).map(lambda hours: NOW - timedelta(hours=hours)),
)


@given(st.lists(stored, unique_by=lambda f: f.path), st.sets(st.integers(0, 40)))
def test_orphans_are_what_is_old_and_has_no_name(files: list[StoredFile], ids: set[int]) -> None:
    named = {f"/table/data/{n}" for n in ids}
    plan = plan_orphans(files, named, NOW, AGE)
    found = {file.path for file in plan.orphans}
    assert found == {f.path for f in files if f.path not in named and f.written_at < NOW - AGE}
    assert set(plan.missing) == named - {f.path for f in files}
    assert plan.young + len(found) == len({f.path for f in files} - named)


def test_metadata_goes_before_the_files_that_it_leads_to() -> None:
    old = NOW - timedelta(days=3)
    paths = ("/t/data/a.parquet", "/t/metadata/9.metadata.json", "/t/metadata/snap-1.avro")
    plan = plan_orphans([StoredFile(path, 1, old) for path in paths], set(), NOW, AGE)
    assert [file.path for file in plan.orphans] == [paths[1], paths[0], paths[2]]


def test_a_checksum_goes_with_its_file() -> None:
    old = NOW - timedelta(days=3)
    files = [StoredFile(f"/t/{name}", 1, old) for name in ("a.avro", ".a.avro.crc", ".b.avro.crc")]
    plan = plan_orphans(files, {"/t/a.avro"}, NOW, AGE)
    assert [file.path for file in plan.orphans] == ["/t/.b.avro.crc"]


def test_of_each_step_it_is_told_why_or_why_not() -> None:
    told = judge(facts(expirable=59, snapshots=70, swept_at=NOW - timedelta(hours=3)), POLICY, NOW)
    assert [(one.step, one.reason) for one in told] == [
        (Step.RETENTION, "its rows are kept for ever"),
        (Step.COMPACT, "0 data files more than the 10 left last; due from 300 on"),
        (Step.EXPIRE, "59 of 70 snapshots may go; due from 60 on"),
        (Step.SWEEP, "looked for orphan files 3 h ago; due every 24 h"),
    ]
    assert all(isinstance(one, SkippedStep) for one in told)


def test_rows_that_are_kept_so_long_are_deleted_every_few_hours() -> None:
    policy = MaintenancePolicy(keep_rows=timedelta(days=1), retention_every=timedelta(hours=6))
    old = facts(oldest_hour=NOW - timedelta(days=2))
    young = facts(oldest_hour=NOW)
    done = facts(oldest_hour=NOW - timedelta(days=2), retention_at=NOW - timedelta(hours=2))
    due, none, waits = (judge(one, policy, NOW)[0] for one in (old, young, done))
    assert isinstance(due, DueStep)
    assert none == SkippedStep(
        "orders.events", Step.RETENTION, "it has no rows from before 2026-11-27T00"
    )
    assert waits == SkippedStep("orders.events", Step.RETENTION, "done 2 h ago; due every 6 h")
