"""Hours that late events reach, built as the real planner says; only Spark is left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from benchmarks.lateness.curve import Counts
from pipeline.batch.planning.plan import HourBuild, plan_hours
from pipeline.batch.planning.staleness import (
    BuildReason,
    PlanInputs,
    build_reason,
    fingerprint,
    late_wait,
    source_rows,
)
from pipeline.clock import HOUR
from pipeline.contract.model import DerivedTable, Product, published_table
from pipeline.control.publications import Publication
from pipeline.hours.fence import Fence
from pipeline.hours.states import HourState, HourStates

START = datetime(2026, 1, 1, tzinfo=UTC)
ENGAGEMENT, SESSIONS = "content_engagement_hourly", "viewing_features_raw"
TABLES = (ENGAGEMENT, SESSIONS)
HANDED_OVER = 0.67
"""How likely the session of a late row is handed over to the next hour."""
HANDED_ON = 0.1
"""How likely a session that was handed over to an hour is handed over by it too.

Both are of six hours of the demo's viewing. Each late row counts as of a session of its own.
"""
SLACK_H = 24
"""Hours older than gate and wait together, and this, cannot be due any more: planning leaves them out."""


@dataclass(frozen=True)
class Outcome:
    """What keeping one table's hours right took.

    Attributes:
        scanned: rows of events that builds read.
        builds: hours built, the first time included.
        late: rows that arrived after their hour was first built.
        never: of these, how many are in no build of their hour.
        stale_h: mean hours from a late row's arrival to the build that has it, of those that one has.
    """

    scanned: int
    builds: int
    late: int
    never: int
    stale_h: float


def lookback(arrivals: Counts, hours: int = 24) -> Outcome:
    """Return what a job takes that builds the last `hours` closed hours again, every hour."""
    present = np.cumsum(arrivals, axis=1)[:, :hours]
    late = int(arrivals[:, 1:].sum())
    in_time = int(arrivals[:, 1:hours].sum())
    return Outcome(
        scanned=int(present.sum()),
        builds=len(arrivals) * hours,
        late=late,
        never=late - in_time,
        # They arrive at any time between two looks.
        stale_h=0.5,
    )


def planned(product: Product, arrivals: Counts, seed: int = 1) -> dict[str, Outcome]:
    """Return, by table, what the product's planner takes: it is asked once an hour until nothing is due.

    `product` has the `TABLES` and no others. `arrivals` are events by hour and look.
    """
    run = _Run(product, arrivals, np.random.default_rng(seed))
    for tick in range(len(arrivals) + run.doubt_h):
        run.look(tick)
    return {name: run.outcome(name) for name in TABLES}


class _Run:
    def __init__(self, product: Product, arrivals: Counts, rng: np.random.Generator) -> None:
        self.product, self.rng = product, rng
        self.tables = {table.name: table for table in product.derived_tables}
        self.present = np.cumsum(arrivals, axis=1)
        self.arrivals = arrivals
        longest = max(late_wait(product, table) for table in product.derived_tables)
        self.doubt_h = arrivals.shape[1] + longest // HOUR + SLACK_H
        self.last_publications: dict[tuple[str, datetime], Publication] = {}
        self.built: dict[tuple[str, int], int] = {}
        self.scanned: Counter[str] = Counter()
        self.builds: Counter[str] = Counter()
        self.waited: dict[str, Counter[float]] = {name: Counter() for name in TABLES}
        self.changed: Counter[int] = Counter()

    def look(self, tick: int) -> None:
        """Plan and build what is due when hour `tick` is first closed."""
        now = START + (tick + 1) * HOUR + timedelta(seconds=self.product.allowed_lateness_s)
        hours = range(max(0, tick - self.doubt_h), min(tick + 1, len(self.arrivals)))
        rows = {_hour(n): self._rows(n, tick) for n in hours}
        states = tuple(
            HourState(hour, count, Fence(hour, now, {}), closed=True)
            for hour, count in rows.items()
        )
        looked = HourStates(self.product.name, "us", 1, now, states)
        plan = plan_hours(self.product, PlanInputs.of(looked, self.last_publications.values()))
        for build in plan.builds:
            table = self.tables[build.derived_table]
            inputs = replace(plan.inputs, last_publications=self.last_publications)
            if build.reason is BuildReason.MAY_CHANGE and not build_reason(
                self.product, table, build.hour, inputs
            ):
                continue
            self._build(table, build, tick, now, rows)

    def outcome(self, name: str) -> Outcome:
        late = int(self.arrivals[:, 1:].sum())
        waits = self.waited[name]
        total = sum(waits.values())
        return Outcome(
            scanned=self.scanned[name],
            builds=self.builds[name],
            late=late,
            never=late - total,
            stale_h=sum(h * n for h, n in waits.items()) / total if total else 0.0,
        )

    def _rows(self, number: int, tick: int) -> int:
        return int(self.present[number, min(tick - number, self.present.shape[1] - 1)])

    def _build(
        self,
        table: DerivedTable,
        build: HourBuild,
        tick: int,
        now: datetime,
        rows: Mapping[datetime, int],
    ) -> None:
        number = round((build.hour - START) / HOUR)
        look = min(tick - number, self.present.shape[1] - 1)
        before = self.built.get((table.name, number))
        fresh = 0
        if before is not None:
            for at in range(before + 1, look + 1):
                count = int(self.arrivals[number, at])
                fresh += count
                self.waited[table.name][tick - (number + at) + 0.5] += count
        self.built[table.name, number] = look
        self.scanned[table.name] += rows[build.hour]
        self.builds[table.name] += 1
        inputs = fingerprint(self.product, table, build.hour, self.last_publications)
        key = (published_table(self.product, table), build.hour)
        last = self.last_publications.get(key)
        handover = "first" if last is None else str(last.handover)
        if table.name == SESSIONS and last is not None and self._hands_over(number, fresh):
            handover = f"{handover}+"
        self.last_publications[key] = Publication(
            table=key[0],
            hour=build.hour,
            published_at=now,
            source_snapshot_id=1,
            staged_snapshot_id=1,
            published_snapshot_id=1,
            wap_id=f"{key[0]} {number} {tick}",
            rows=1,
            contract_version=table.version,
            run_id="simulated",
            expectations=0,
            source_rows=source_rows(table, build.hour, rows),
            inputs=inputs,
            digest=f"{number} {look}",
            handover=handover,
        )

    def _hands_over(self, number: int, fresh: int) -> bool:
        """Draw whether an hour that was built again hands other sessions over than before."""
        ours = int(self.rng.binomial(fresh, HANDED_OVER))
        passed = int(self.rng.binomial(self.changed.pop(number, 0), HANDED_ON))
        self.changed[number + 1] += ours + passed
        return ours + passed > 0


def _hour(number: int) -> datetime:
    return START + number * HOUR
