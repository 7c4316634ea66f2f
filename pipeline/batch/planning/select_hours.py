"""Which hours of a plan to build in one run: pure functions."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from pipeline.batch.planning.due import Attempt, HourRange, due
from pipeline.batch.planning.plan import HourBuild, HoursPlan
from pipeline.batch.planning.staleness import BuildReason, missing_inputs
from pipeline.contract.model import Product, published_table

NEW = frozenset({BuildReason.NEW})
OUTDATED = frozenset({BuildReason.LATE, BuildReason.INPUTS})


@dataclass(frozen=True)
class SelectedHours:
    """What to build next.

    Attributes:
        hours: adjoining hours; None if nothing is to be built now.
        due: those of them that are due for certain; the others only may change.
        attempt: which one of these it is, from 1.
        state: tells what is published of these hours from what was at any other time.
        waiting: hours that failed a short while ago.
        given_up: hours that failed too often.
        blocked: hours that wait for these.
    """

    hours: HourRange | None
    due: tuple[datetime, ...]
    attempt: int
    state: str
    waiting: tuple[datetime, ...]
    given_up: tuple[datetime, ...]
    blocked: tuple[datetime, ...]


def select_hours(
    product: Product,
    plan: HoursPlan,
    attempts: Iterable[Attempt],
    reasons: Collection[BuildReason],
    first: datetime,
) -> SelectedHours:
    """Choose the oldest adjoining hours from `first` on of which one is due for one of `reasons`.

    Hours that only may change are taken along where they adjoin. `attempts` are of the hours that were
    due for certain then. An hour that waits for one which
    failed is left until that one is published.
    """
    tried = tuple(attempts)
    builds = [build for build in plan.builds if build.hour >= first]
    published = _published(product, plan, builds)
    planned = due({build.hour for build in builds}, tried, plan.inputs.now, published)
    held = {*planned.waiting, *planned.given_up}
    blocked = {build.hour for build in builds if _waits_for(product, plan, build, held)} - held
    if blocked:
        others = {build.hour for build in builds} - blocked
        planned = due(others, tried, plan.inputs.now, published)
    certain = {build.hour for build in builds if build.reason is not BuildReason.MAY_CHANGE}
    wanted = {build.hour for build in builds if build.reason in reasons}
    none: tuple[HourRange | None, int] = (None, 0)
    hours, attempt = next(
        (one for one in planned.ranges.items() if any(map(one[0].holds, wanted))), none
    )
    return SelectedHours(
        hours,
        tuple(sorted(hour for hour in certain if hours is not None and hours.holds(hour))),
        attempt,
        _state(product, plan, hours),
        planned.waiting,
        planned.given_up,
        tuple(sorted(blocked)),
    )


def _published(
    product: Product, plan: HoursPlan, builds: Iterable[HourBuild]
) -> Mapping[datetime, datetime]:
    """Return, of hours whose due tables are all published, when the first of these was."""
    tables = {table.name: table for table in product.derived_tables}
    found: dict[datetime, datetime | None] = {}
    for build in builds:
        key = (published_table(product, tables[build.derived_table]), build.hour)
        last = plan.inputs.last_publications.get(key)
        at = None if last is None else last.published_at
        known = found.get(build.hour, at)
        found[build.hour] = None if at is None or known is None else min(known, at)
    return {hour: at for hour, at in found.items() if at is not None}


def _waits_for(
    product: Product, plan: HoursPlan, build: HourBuild, held: Collection[datetime]
) -> bool:
    table = next(one for one in product.derived_tables if one.name == build.derived_table)
    missing = missing_inputs(product, table, build.hour, plan.inputs)
    return any(hour in held for _, hour in missing)


def _state(product: Product, plan: HoursPlan, hours: HourRange | None) -> str:
    if hours is None:
        return ""
    names = {published_table(product, table) for table in product.derived_tables}
    lines = sorted(
        f"{table} {hour.isoformat()} {one.wap_id}"
        for (table, hour), one in plan.inputs.last_publications.items()
        if table in names and hours.holds(hour)
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:8]
