"""An hour of a soak: its commits, and what looks at them, publishes and maintains, each timed."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import TypeVar

from time_machine import Traveller, travel

from benchmarks.soak.commits import BatchWriter, committed_batches
from benchmarks.soak.model import BEGIN, Order, Sample, Took
from benchmarks.soak.publishing import plan_due, publish, read_states
from benchmarks.soak.sizes import sizes_of
from pipeline.batch.planning.read_inputs import look_at_last_hours
from pipeline.cells import Cell
from pipeline.clock import HOUR
from pipeline.contract.model import Product
from pipeline.latency.measure import alert_missed, measure_latency
from pipeline.ledger.read import read_ledger
from pipeline.maintenance.plan import MaintenancePolicy
from pipeline.maintenance.run import maintain_due
from pipeline.maintenance.trim import Trimmer
from pipeline.tables.catalog import load_table
from pipeline.tables.layout import events_table

Result = TypeVar("Result")

POLICY = MaintenancePolicy(retain=timedelta(hours=24), retain_commits=timedelta(hours=14))
"""As many commits stay as beside an ingest that commits every two seconds: here minutes are between them."""


def work_an_hour(
    cell: Cell, product: Product, order: Order, hour: int, writer: BatchWriter
) -> Sample:
    """Work as the hour does, at its times: `datetime.now` and `time.time` say them, whoever asks."""
    began = BEGIN + hour * HOUR
    with travel(began) as clock:
        commits = _commit(cell, product, order, hour, writer, clock)
        # A while after the hour's end, so that it is fenced; all that was sent is committed.
        clock.move_to(began + HOUR + timedelta(minutes=10))
        return _look(cell, product, order, hour, commits)


def _commit(
    cell: Cell, product: Product, order: Order, hour: int, writer: BatchWriter, clock: Traveller
) -> tuple[Took, ...]:
    chosen = random.Random(f"{order.seed}/{hour}")  # noqa: S311 - repeatable, not secret
    commits = []
    began = BEGIN + hour * HOUR
    first, end = order.commits_until(hour), order.commits_until(hour + 1)
    for number in range(max(first, committed_batches(cell, product, order.rows)), end):
        clock.move_to(began + HOUR * (number - first) / (end - first))
        late = chosen.randint(1, 72) if number % order.late_every == 0 else 0
        hours = [began] * (order.rows - 1)
        hours.append(BEGIN + max(hour - late, 0) * HOUR)
        commits.append(_taken(partial(writer.commit, number, hours))[1])
    return tuple(commits)


def _look(
    cell: Cell, product: Product, order: Order, hour: int, commits: tuple[Took, ...]
) -> Sample:
    timed: dict[str, Took] = {}

    def time_it(name: str, work: Callable[[], Result]) -> Result:
        found, timed[name] = _taken(work)
        return found

    looked_at, built, balanced = 0, 0, True
    if hour % order.publish_every == order.publish_every - 1 or hour == order.hours - 1:
        plan = time_it("hour_closed", lambda: plan_due(cell, product))
        publish(cell, product, plan)
        looked_at, built = len(plan.inputs.rows), len(plan.builds)
    if hour % order.look_every == order.look_every - 1:
        time_it("watermark", lambda: _watermark(cell, product))
        balanced = time_it("ledger", lambda: read_ledger(cell, product).balanced)
        time_it("hours", lambda: _list(cell, product))
        time_it("scan", lambda: _scan(cell, product, hour))
    time_it("maintenance", lambda: _maintain(cell, product))
    sizes = sizes_of(cell, product) if hour % max(order.hours // 100, 1) == 0 else None
    return Sample(hour, commits, timed, looked_at, built, balanced, sizes)


def _taken(work: Callable[[], Result]) -> tuple[Result, Took]:
    started, used = time.perf_counter(), time.process_time()
    found = work()
    return found, Took(time.perf_counter() - started, time.process_time() - used)


def _watermark(cell: Cell, product: Product) -> None:
    alert_missed(cell, product, measure_latency(cell, product))


def _list(cell: Cell, product: Product) -> None:
    look_at_last_hours(cell, product, 48, read_states=read_states)


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
