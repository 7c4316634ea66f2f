"""Dagster's own storage: what is old goes, what is newest of anything and what has not ended stays.

In SQLite and in PostgreSQL, whose time there is not UTC.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from assets.definitions import build
from assets.jobs import BATCH, INGEST
from assets.keys import CELL_TAG, KIND_TAG
from assets.steps.retention import DEFAULT_RETENTION, EndedRun, Retention, forgettable_runs
from assets.steps.storage import forget_old
from headwater.stack.dagster.instance import INSTANCE, prepare
from pipeline.clock import utc_now
from tests.support.dagster_storage import keep_in

NOW = datetime(2026, 11, 28, tzinfo=UTC)
CELL = "us"
STORAGES = ("sqlite", "postgresql")
LOG = logging.getLogger("test")


@dg.op
def work() -> None:
    """Does nothing."""


@dg.job
def toil() -> None:
    work()


@pytest.fixture(params=STORAGES)
def instance(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dg.DagsterInstance]:
    in_postgresql = request.param == "postgresql"
    if in_postgresql:
        keep_in(request.getfixturevalue("postgresql"), tmp_path, monkeypatch)
    prepare(tmp_path, in_postgresql=in_postgresql)
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        yield instance


def forget(instance: dg.DagsterInstance, days: int) -> dict[str, int]:
    return forget_old(instance, CELL, LOG, clock=lambda: utc_now() + timedelta(days=days))


def a_run(
    instance: dg.DagsterInstance,
    kind: str = INGEST,
    cell: str = CELL,
    status: dg.DagsterRunStatus = dg.DagsterRunStatus.SUCCESS,
) -> str:
    tags = {CELL_TAG: cell, KIND_TAG: kind}
    return instance.create_run_for_job(toil, status=status, tags=tags).run_id


def test_times_are_of_utc_whatever_the_databases_are(instance: dg.DagsterInstance) -> None:
    run = a_run(instance)
    (record,) = instance.get_run_records()
    assert record.dagster_run.run_id == run
    assert abs(record.create_timestamp - utc_now()) < timedelta(minutes=1)


def test_old_runs_go_and_each_kind_has_its_time(instance: dg.DagsterInstance) -> None:
    ingest, hours = a_run(instance), a_run(instance, BATCH)
    failed = a_run(instance, status=dg.DagsterRunStatus.FAILURE)
    alive = a_run(instance, status=dg.DagsterRunStatus.STARTED)
    elsewhere = a_run(instance, cell="eu")

    def left() -> set[str]:
        return {run.run_id for run in instance.get_runs()}

    assert forget(instance, 6)["runs deleted"] == 0
    assert forget(instance, 8)["runs deleted"] == 1
    assert left() == {hours, failed, alive, elsewhere}
    forget(instance, 31)
    assert left() == {hours, alive, elsewhere}
    forget(instance, 91)
    assert left() == {alive, elsewhere}
    assert ingest not in left()


def test_nothing_is_left_of_a_run_but_what_is_the_newest_of_an_asset(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    @dg.asset(key_prefix=[CELL])
    def table() -> None:
        """A table."""

    def runs() -> list[str]:
        tags = {CELL_TAG: CELL, KIND_TAG: INGEST}
        return [dg.materialize([table], instance=instance, tags=tags).run_id for _ in range(3)]

    old, older, newest = runs()
    files = {path.stem for path in tmp_path.rglob("*.db")}
    assert {old, older, newest} <= files or not files, "PostgreSQL has no files here"
    assert forget(instance, 8)["runs deleted"] == 2
    assert {run.run_id for run in instance.get_runs()} == {newest}
    assert not {old, older} & {path.stem for path in tmp_path.rglob("*.db")}
    assert not any((tmp_path / "storage" / run).exists() for run in (old, older))
    last = instance.get_latest_materialization_event(table.key)
    assert last is not None
    assert last.run_id == newest


HOURS = dg.HourlyPartitionsDefinition("2026-01-01-00:00")


def derived_table(cell: str) -> dg.AssetsDefinition:
    """Return a derived table of a product in `cell`."""

    @dg.asset(key_prefix=[cell, "p"], partitions_def=HOURS)
    def table() -> dg.MaterializeResult[None]:
        columns = dg.TableSchema([dg.TableColumn("a")])
        return dg.MaterializeResult(metadata={"rows": 7, "columns": columns})

    return table


def test_hours_stay_materialized_when_their_runs_go(instance: dg.DagsterInstance) -> None:
    table, tags = derived_table(CELL), {CELL_TAG: CELL, KIND_TAG: BATCH}
    hours = [f"2026-01-01-0{number}:00" for number in (1, 2, 1, 3)]
    runs = [
        dg.materialize([table], instance=instance, partition_key=hour, tags=tags).run_id
        for hour in hours
    ]

    def materialized() -> list[tuple[str | None, float]]:
        found = instance.fetch_materializations(table.key, limit=10, ascending=True).records
        return [(one.partition_key, one.timestamp) for one in found]

    before = materialized()
    assert [hour for hour, _ in before] == hours
    assert forget(instance, 91)["runs deleted"] == 3
    assert [run.run_id for run in instance.get_runs()] == runs[-1:]
    assert materialized() == before[1:], "of an hour that was built twice the second alone"
    kept = instance.fetch_materializations(table.key, limit=10, ascending=True).records[0]
    assert kept.asset_materialization is not None
    assert kept.asset_materialization.metadata == {"rows": dg.MetadataValue.int(7)}
    assert instance.get_materialized_partitions(table.key) == set(hours)
    last = instance.get_latest_materialization_event(table.key)
    assert last is not None
    assert last.run_id == runs[-1]
    assert forget(instance, 200)["events deleted"] == 0


def test_runs_that_a_person_launched_from_an_assets_page_go_as_well(
    instance: dg.DagsterInstance,
) -> None:
    elsewhere = derived_table("eu")
    for asset in (derived_table(CELL), elsewhere):
        job = dg.Definitions([asset]).resolve_implicit_global_asset_job_def()
        instance.create_run_for_job(
            job, status=dg.DagsterRunStatus.SUCCESS, asset_selection=frozenset({asset.key})
        )
    code_of_others = instance.create_run_for_job(toil, status=dg.DagsterRunStatus.SUCCESS)
    assert forget(instance, 8)["runs deleted"] == 1
    left = {run.run_id: run.asset_selection for run in instance.get_runs()}
    assert set(left.values()) == {None, frozenset({elsewhere.key})}
    assert code_of_others.run_id in left


def test_events_of_no_run_stay_bounded_and_the_newest_are_still_told(
    instance: dg.DagsterInstance,
) -> None:
    keys = [dg.AssetKey([CELL, "p", name]) for name in ("watermark", "topic")]
    other = dg.AssetKey(["eu", "p", "watermark"])
    for number in range(20):
        for key in (*keys, other):
            told = dg.AssetMaterialization(key, metadata={"number": number})
            instance.report_runless_asset_event(told)
        instance.report_runless_asset_event(dg.AssetObservation(keys[1]))
    assert forget(instance, 6)["events deleted"] == 0
    assert forget(instance, 8)["events deleted"] == 19 * 3

    def count(key: dg.AssetKey) -> int:
        return len(instance.fetch_materializations(key, limit=100).records)

    assert [count(key) for key in (*keys, other)] == [1, 1, 20]
    last = instance.get_latest_materialization_event(keys[0])
    assert last is not None
    assert last.asset_materialization is not None
    assert last.asset_materialization.metadata["number"].value == 19


def test_evaluations_of_checks_stay_bounded(instance: dg.DagsterInstance) -> None:
    key = dg.AssetKey([CELL, "p", "events"])
    for passed in (True, True, False):
        instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(
                asset_key=key, check_name="balances", passed=passed, metadata={}
            )
        )
    assert forget(instance, 8)["events deleted"] >= 2
    check = dg.AssetCheckKey(key, "balances")
    history = instance.event_log_storage.get_asset_check_execution_history(check, limit=10)
    assert [one.status.value for one in history] == ["FAILED"]


def test_each_location_has_the_job_on_a_schedule_in_the_pool_of_upkeep() -> None:
    repository = build(CELL).get_repository_def()
    schedule = repository.get_schedule_def(f"{CELL}__dagster_storage")
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    job = repository.get_job(f"{CELL}__dagster_storage")
    assert {node.definition.pool for node in job.nodes} == {"maintenance"}  # type: ignore[attr-defined]


def test_ticks_of_every_kind_are_purged() -> None:
    kept = yaml.safe_load(INSTANCE.read_text())["retention"]
    assert set(kept) == {"schedule", "sensor", "auto_materialize"}
    assert set(kept["sensor"]["purge_after_days"]) == {"skipped", "started", "success", "failure"}


ended = st.builds(
    EndedRun,
    st.uuids().map(str),
    st.integers(0, 200).map(lambda days: NOW - timedelta(days=days)),
    st.booleans(),
    st.booleans(),
)


@given(st.lists(ended, max_size=30), st.integers(1, 10), st.data())
def test_what_is_forgotten_is_old_and_the_oldest(
    runs: list[EndedRun], batch: int, data: st.DataObject
) -> None:
    newest = data.draw(st.sets(st.sampled_from([run.run_id for run in runs] or ["none"])))
    found = forgettable_runs(runs, newest, NOW, Retention(batch=batch))
    assert len(found) <= batch
    assert not set(found) & newest
    by_id = {run.run_id: run for run in runs}
    times = [by_id[one].ended_at for one in found]
    assert times == sorted(times)
    for run in map(by_id.__getitem__, found):
        assert run.ended_at < NOW - DEFAULT_RETENTION.runs
        assert run.succeeded or run.ended_at < NOW - DEFAULT_RETENTION.failures
        assert not run.builds_hours or run.ended_at < NOW - DEFAULT_RETENTION.hours
