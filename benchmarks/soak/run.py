"""A year in hours: commits, publications, ticks, commands and upkeep, each timed, on a clock that is set."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

from benchmarks.soak.commits import IDENTITY, BatchWriter, committed_batches
from benchmarks.soak.sizes import Sizes, sizes_of
from pipeline.batch.planning.plan import HoursPlan, plan_hours
from pipeline.batch.planning.read_inputs import look_at_last_hours, read_plan_inputs
from pipeline.batch.planning.staleness import fingerprint, source_rows
from pipeline.cells import Cell
from pipeline.clock import HOUR, Clock
from pipeline.contract.model import Product, published_table
from pipeline.control.publications import Publication, record
from pipeline.hours.states import HourStates, fence_hours
from pipeline.latency.measure import alert_missed, measure_latency
from pipeline.ledger.read import read_ledger
from pipeline.maintenance.plan import MaintenancePolicy
from pipeline.maintenance.run import maintain_due
from pipeline.maintenance.trim import Trimmer
from pipeline.tables.catalog import load_table
from pipeline.tables.layout import events_table

Result = TypeVar("Result")

BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
POLICY = MaintenancePolicy(retain=timedelta(minutes=1), retain_commits=timedelta(seconds=5))
"""Snapshots are let go by the wall clock, on which an hour of the clock that is set passes in seconds."""
TIMED = ("hour_closed", "watermark", "ledger", "hours", "scan", "maintenance")
"""What is timed beside each commit: once an hour, or in some hours."""


@dataclass(frozen=True)
class Order:
    """How many commits of how many rows, over how many hours.

    Attributes:
        late_every: one commit of so many has a late row.
        look_every: in one hour of so many somebody looks: the watermark's tick, commands and a scan.
        publish_every: hours that closed are looked for and published once in so many.
    """

    commits: int = 100_000
    hours: int = 8_760
    rows: int = 20
    late_every: int = 100
    look_every: int = 10
    publish_every: int = 4
    seed: int = 1

    def commits_until(self, hour: int) -> int:
        """Return how many commits come before an hour."""
        return self.commits * hour // self.hours


class Took(NamedTuple):
    """Seconds that something took: by the clock, and of CPU, which other work on the machine leaves alone."""

    wall_s: float
    cpu_s: float


@dataclass(frozen=True)
class Sample:
    """One hour: what each of its commits took, and what is timed, and what there is after it.

    Attributes:
        timed: not all of `TIMED` in every hour.
        balanced: whether the ledger balanced; True in hours in which nobody looked.
        looked_at: hours that the tick looked at; 0 in hours without one.
        built: hours that were due in it, of all tables.
        sizes: what the tables take; None in hours in which nobody counted.
    """

    hour: int
    commits: tuple[Took, ...]
    timed: dict[str, Took]
    looked_at: int
    built: int
    balanced: bool
    sizes: Sizes | None


def soak(
    folder: Path, cell: Cell, product: Product, order: Order, say: Callable[[str], None]
) -> Iterator[Sample]:
    """Yield an hour after the other, going on where one in `folder` ended, whose hours come first."""
    kept = folder / "samples.jsonl"
    done = _kept(kept)
    yield from done
    folder.mkdir(parents=True, exist_ok=True)
    writer = BatchWriter(cell, product)
    with kept.open("a") as out:
        for hour in range(len(done), order.hours):
            sample = _hour(cell, product, order, hour, writer)
            out.write(json.dumps(asdict(sample)) + "\n")
            out.flush()
            yield sample
            if (hour + 1) % max(order.hours // 100, 1) == 0:
                say(_progress(order, sample))


def _kept(path: Path) -> list[Sample]:
    if not path.exists():
        return []
    # A line that its writer did not live to end is not one.
    whole = path.read_text().rpartition("\n")[0]
    path.write_text(f"{whole}\n" if whole else "")
    found = []
    for line in whole.splitlines():
        fields = json.loads(line)
        sizes = fields.pop("sizes")
        commits = tuple(Took(*took) for took in fields.pop("commits"))
        timed = {name: Took(*took) for name, took in fields.pop("timed").items()}
        found.append(
            Sample(
                **fields,
                commits=commits,
                timed=timed,
                sizes=None if sizes is None else Sizes(**sizes),
            )
        )
    return found


def _progress(order: Order, sample: Sample) -> str:
    commits = sorted(took.wall_s for took in sample.commits) or [0.0]
    timed = ", ".join(f"{name} {took.wall_s * 1000:.0f} ms" for name, took in sample.timed.items())
    return (
        f"hour {sample.hour + 1:,} of {order.hours:,}: {order.commits_until(sample.hour + 1):,} commits, "
        f"{commits[len(commits) // 2] * 1000:.0f} ms each; {timed}"
    )


def _hour(cell: Cell, product: Product, order: Order, hour: int, writer: BatchWriter) -> Sample:
    chosen = random.Random(f"{order.seed}/{hour}")  # noqa: S311 - repeatable, not secret
    commits = []
    first, end = order.commits_until(hour), order.commits_until(hour + 1)
    for number in range(max(first, committed_batches(cell, product, order.rows)), end):
        late = chosen.randint(1, 72) if number % order.late_every == 0 else 0
        hours = [BEGIN + hour * HOUR] * (order.rows - 1)
        hours.append(BEGIN + max(hour - late, 0) * HOUR)
        commits.append(_taken(partial(writer.commit, number, hours))[1])
    # A while after the hour's end, so that it is fenced; all that was sent is committed.
    now = BEGIN + (hour + 1) * HOUR + timedelta(minutes=10)
    timed: dict[str, Took] = {}

    def time_it(name: str, work: Callable[[], Result]) -> Result:
        found, timed[name] = _taken(work)
        return found

    looked_at, built, balanced = 0, 0, True
    if hour % order.publish_every == order.publish_every - 1 or hour == order.hours - 1:
        plan = time_it("hour_closed", lambda: _plan(cell, product, now))
        publish(cell, product, plan, now)
        looked_at, built = len(plan.inputs.rows), len(plan.builds)
    if hour % order.look_every == order.look_every - 1:
        time_it("watermark", lambda: _watermark(cell, product, now))
        balanced = time_it("ledger", lambda: read_ledger(cell, product).balanced)
        time_it("hours", lambda: _list(cell, product, now))
        time_it("scan", lambda: _scan(cell, product, hour))
    time_it("maintenance", lambda: _maintain(cell, product))
    sizes = sizes_of(cell, product) if hour % max(order.hours // 100, 1) == 0 else None
    return Sample(hour, tuple(commits), timed, looked_at, built, balanced, sizes)


def _taken(work: Callable[[], Result]) -> tuple[Result, Took]:
    started, used = time.perf_counter(), time.process_time()
    found = work()
    return found, Took(time.perf_counter() - started, time.process_time() - used)


def _states(
    cell: Cell, product: Product, clock: Clock, also: Iterable[datetime], since: datetime | None
) -> HourStates:
    """Return the states of hours as `read_hour_states` does, of a topic that ends where events do."""
    done = committed_batches(cell, product, 1)
    watermarks = dict.fromkeys(IDENTITY.partitions, done)
    return fence_hours(cell, product, clock(), watermarks, also, since)


def _plan(cell: Cell, product: Product, now: datetime) -> HoursPlan:
    inputs = read_plan_inputs(cell, product, clock=lambda: now, read_states=_states)
    return plan_hours(product, inputs)


def publish(cell: Cell, product: Product, plan: HoursPlan, now: datetime) -> None:
    """Record every planned hour as published, a table's together, as builds would; no rows are computed."""
    last = dict(plan.inputs.last_publications)
    for table in product.derived_tables:
        hours = [build for build in plan.builds if build.derived_table == table.name]
        for build in hours:
            rows = source_rows(table, build.hour, plan.inputs.rows)
            inputs = fingerprint(product, table, build.hour, last)
            wap_id = f"{table.name}-{build.hour:%Y%m%dT%H}-{now:%Y%m%dT%H}"
            made = Publication(
                published_table(product, table), build.hour, now,
                1, 1, 1, wap_id, build.rows, table.version, "soak", 1,
                source_rows=rows, inputs=inputs, digest=f"{rows}:1", handover="0:0",
            )  # fmt: skip
            last[made.table, made.hour] = made
        name = published_table(product, table)
        record(cell, product.name, [last[name, build.hour] for build in hours])


def _watermark(cell: Cell, product: Product, now: datetime) -> None:
    alert_missed(cell, product, measure_latency(cell, product, lambda: now))


def _list(cell: Cell, product: Product, now: datetime) -> None:
    look_at_last_hours(cell, product, 48, clock=lambda: now, read_states=_states)


def _maintain(cell: Cell, product: Product) -> None:
    """Do what an ingest does between batches, and what Dagster's maintenance run does if it is due."""
    Trimmer(cell, product, policy=POLICY).trim()
    maintain_due(cell, product, POLICY)


def _scan(cell: Cell, product: Product, hour: int) -> None:
    begin = BEGIN + hour * HOUR
    events = load_table(cell, events_table(product.name))
    events.scan(
        f"_event_time >= '{begin.isoformat()}' and _event_time < '{(begin + HOUR).isoformat()}'"
    ).to_arrow()
