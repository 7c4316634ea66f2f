"""A year of Dagster's own storage: runs, events and ticks of every hour, and what is let go of them."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import dagster as dg
from time_machine import travel

from assets.jobs import BATCH
from assets.keys import CELL_TAG, KIND_TAG
from assets.steps.storage import forget_old
from benchmarks.soak.model import BEGIN
from benchmarks.unattended.ticks import database_bytes
from headwater.stack.dagster.instance import prepare
from pipeline.clock import HOUR

CELL = "us"
EVERY_HOURS = 6
"""How often the schedule of a cell's storage runs."""
OBSERVED = ("topic", "watermark")
LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class StorageSample:
    """What Dagster's storage takes after an hour, and seconds that letting go took before that.

    Attributes:
        database_bytes: of all databases, which are one for each run beside those of the instance.
        files: everything in the instance's folder.
        runs: that Dagster still lists.
    """

    hour: int
    database_bytes: int
    files: int
    runs: int
    forget_s: float


def soak_storage(folder: Path, hours: int, say: Callable[[str], None]) -> Iterator[StorageSample]:
    """Yield what there is every `EVERY_HOURS`, going on where one in `folder` ended."""
    kept = folder / "dagster.jsonl"
    home = folder / "dagster"
    prepare(home)
    done = [StorageSample(**json.loads(line)) for line in _lines(kept)]
    yield from done
    with dg.DagsterInstance.from_config(str(home)) as instance, kept.open("a") as out:
        for hour in range(done[-1].hour + 1 if done else 0, hours):
            now = BEGIN + (hour + 1) * HOUR
            _work_an_hour(instance, now)
            if (hour + 1) % EVERY_HOURS:
                continue
            sample = _forget(instance, home, hour, now)
            out.write(json.dumps(asdict(sample)) + "\n")
            out.flush()
            yield sample
            if (hour + 1) % (40 * EVERY_HOURS) == 0:
                say(f"Dagster's hour {hour + 1:,} of {hours:,}: {sample}")


def _lines(path: Path) -> list[str]:
    return path.read_text().rpartition("\n")[0].splitlines() if path.exists() else []


@dg.asset(
    key_prefix=[CELL, "product"],
    partitions_def=dg.HourlyPartitionsDefinition(f"{BEGIN:%Y-%m-%d-%H:%M}"),
)
def hourly() -> None:
    """An hour of a derived table."""


_DEFINITIONS = dg.Definitions([hourly], jobs=[dg.define_asset_job("build", [hourly])])


def _work_an_hour(instance: dg.DagsterInstance, now: datetime) -> None:
    """Leave what an hour leaves: the run that builds it, and what sensors observed, at that time."""
    with travel(now):
        _DEFINITIONS.resolve_job_def("build").execute_in_process(
            instance=instance,
            partition_key=f"{now - HOUR:%Y-%m-%d-%H:%M}",
            tags={CELL_TAG: CELL, KIND_TAG: BATCH},
        )
        for name in OBSERVED:
            key = [CELL, "product", name]
            instance.report_runless_asset_event(dg.AssetMaterialization(key))
            instance.report_runless_asset_event(dg.AssetObservation(key))


def _forget(instance: dg.DagsterInstance, home: Path, hour: int, now: datetime) -> StorageSample:
    started = time.perf_counter()
    forget_old(instance, CELL, LOG, clock=lambda: now)
    took = time.perf_counter() - started
    files = sum(1 for _ in home.rglob("*"))
    return StorageSample(hour, database_bytes(home), files, instance.get_runs_count(), took)
