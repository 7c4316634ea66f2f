"""How long the ticks of sensors and schedules took, as Dagster has recorded them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Ticks:
    """The ticks of one sensor or schedule since a moment; failed ones are counted apart."""

    name: str
    count: int
    failed: int
    median_s: float
    longest_s: float


def read_ticks(dagster_home: Path, after: float) -> tuple[Ticks, ...]:
    """Return the ticks that ended after `after` (seconds since the epoch), the longest first."""
    # It takes seconds to import: not for who only reads the figures.
    from dagster import DagsterInstance

    found = []
    with DagsterInstance.from_config(str(dagster_home)) as instance:
        for state in instance.all_instigator_state():
            ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id, after=after)
            ended = [one for one in ticks if one.end_timestamp is not None]
            took = sorted(one.end_timestamp - one.timestamp for one in ended if one.end_timestamp)
            if took:
                failed = sum(one.is_failure for one in ended)
                middle = took[len(took) // 2]
                found.append(Ticks(state.instigator_name, len(took), failed, middle, took[-1]))
    return tuple(sorted(found, key=lambda one: -one.longest_s))


def database_bytes(dagster_home: Path) -> int:
    """Return how large Dagster's databases are, their write-ahead logs included."""
    return sum(
        file.stat().st_size
        for file in dagster_home.rglob("*.db*")
        if not file.name.endswith("-shm")
    )
