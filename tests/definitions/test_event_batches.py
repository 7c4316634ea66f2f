"""Events that are logged in batches are those that Dagster logs one by one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from assets.dagster_private.event_batches import (
    BatchedSqliteEventLogStorage,
    log_materializations,
)
from headwater.stack.dagster.instance import prepare
from tests.support.dagster_storage import keep_in
from tests.support.postgresql import PostgresqlServer

HOURS = dg.HourlyPartitionsDefinition("2026-11-01-00:00", end_offset=0, end_date="2026-11-03-00:00")
COUNT = 48
TABLE, OTHER = dg.AssetKey("table"), dg.AssetKey("other")


@dg.multi_asset(
    specs=[dg.AssetSpec(TABLE, skippable=True), dg.AssetSpec(OTHER, skippable=True)],
    partitions_def=HOURS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    check_specs=[dg.AssetCheckSpec("audit", asset=TABLE)],
    can_subset=True,
)
def tables(context: dg.AssetExecutionContext) -> Iterator[dg.AssetCheckResult]:
    """Log all hours but the last of one table, and every other one of another."""
    for key, hours in ((TABLE, slice(-1)), (OTHER, slice(None, None, 2))):
        materializations = [
            dg.AssetMaterialization(key, partition=hour, metadata={"rows": n}, tags={"n": str(n)})
            for n, hour in enumerate(context.partition_keys[hours])
        ]
        log_materializations(context, materializations)
    yield dg.AssetCheckResult(asset_key=TABLE, check_name="audit", passed=True)


@dataclass(frozen=True)
class Logged:
    """A run of `tables`, and the instance that has logged it."""

    instance: dg.DagsterInstance
    run_id: str

    def of_its_own(self) -> list[tuple[dg.DagsterEventType | None, str | None]]:
        """Return type and partition of each event that the run's own file has, in its order."""
        return [
            (one.dagster_event_type, _partition(one)) for one in self.instance.all_logs(self.run_id)
        ]

    def of_all_runs(self) -> Mapping[str, Any]:
        """Return what Dagster tells of the tables across runs."""
        storage = self.instance.event_log_storage
        planned = dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED
        found: dict[str, Any] = {}
        for key in (TABLE, OTHER):
            (record,) = self.instance.get_asset_records([key])
            last = record.asset_entry.last_materialization
            found |= {
                f"{key} partitions": self.instance.get_materialized_partitions(key),
                f"{key} last": last and _partition(last),
                f"{key} is of the run": record.asset_entry.last_run_id == self.run_id,
                f"{key} fetched": [
                    (one.partition_key, one.asset_materialization)
                    for one in self.instance.fetch_materializations(key, limit=COUNT).records
                ],
                f"{key} planned": [
                    one.partition_key
                    for one in storage.get_event_records(
                        dg.EventRecordsFilter(planned, asset_key=key)
                    )
                ],
            }
        (check,) = storage.get_latest_asset_check_execution_by_key(
            [dg.AssetCheckKey(TABLE, "audit")]
        ).values()
        return {**found, "check": check.status}


def _partition(entry: dg.EventLogEntry) -> str | None:
    return entry.dagster_event.partition if entry.dagster_event else None


def run(home: Path) -> Logged:
    with dg.DagsterInstance.from_config(str(home)) as instance:
        first, *_, last = HOURS.get_partition_keys()
        job = dg.define_asset_job("hours", [tables], executor_def=dg.in_process_executor)
        definitions = dg.Definitions(assets=[tables], jobs=[job])
        result = definitions.resolve_job_def("hours").execute_in_process(
            instance=instance,
            tags={
                "dagster/asset_partition_range_start": first,
                "dagster/asset_partition_range_end": last,
            },
        )
        assert result.success
        returned = [one.partition for one in result.all_events if one.is_step_materialization]
        assert len(returned) == COUNT - 1 + COUNT // 2
        return Logged(instance, result.run_id)


@pytest.fixture
def batched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Logged:
    """A run on the instance of `headwater up`."""
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "10")
    prepare(tmp_path / "batched")
    return run(tmp_path / "batched")


@pytest.fixture
def one_by_one(tmp_path: Path) -> Logged:
    """The same run on an instance that keeps Dagster's defaults."""
    (tmp_path / "defaults").mkdir()
    (tmp_path / "defaults" / "dagster.yaml").write_text("")
    return run(tmp_path / "defaults")


@pytest.fixture
def in_postgresql(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgresql: PostgresqlServer
) -> Logged:
    """A run on the instance of `headwater up` with its storage in PostgreSQL."""
    keep_in(postgresql, tmp_path, monkeypatch)
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "10")
    prepare(tmp_path / "in_postgresql", in_postgresql=True)
    return run(tmp_path / "in_postgresql")


def test_in_postgresql_every_event_is_as_in_sqlite(
    in_postgresql: Logged, one_by_one: Logged
) -> None:
    assert in_postgresql.of_its_own() == one_by_one.of_its_own()
    assert in_postgresql.of_all_runs() == one_by_one.of_all_runs()


def test_every_event_is_where_it_would_be(batched: Logged, one_by_one: Logged) -> None:
    assert isinstance(batched.instance.event_log_storage, BatchedSqliteEventLogStorage)
    assert not isinstance(one_by_one.instance.event_log_storage, BatchedSqliteEventLogStorage)
    assert batched.of_its_own() == one_by_one.of_its_own()
    assert batched.of_all_runs() == one_by_one.of_all_runs()
    assert len(batched.of_all_runs()[f"{TABLE} partitions"]) == COUNT - 1
