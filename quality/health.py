"""Whether a product of a cell is well: what is known of it, and what of that somebody must see to.

Pure; quality/measure_health.py looks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from pipeline.contract.settings.units import in_words
from pipeline.control.alerts import Alert


class IngestState(StrEnum):
    """What is to be said of whoever ingests a product."""

    WORKING = "working"
    RETRYING = "retrying"
    """It waits an error out."""
    STALLED = "stalled"
    """Its process lives and does not go on."""
    ABSENT = "absent"
    """Nobody ingests."""
    AWAITING_TOPIC = "awaiting topic"
    """Nobody ingests, for there is no topic yet."""


@dataclass(frozen=True)
class Health:
    """One product in one cell as it was when looked at. What could not be read is None, or empty.

    Attributes:
        owner: who holds the ingest lock.
        ingest: what it does.
        detail: of an ingest that retries or is stalled, why.
        committed_at: when the last commit of events was made.
        waiting: records that Kafka has and the table has not.
        lag: how old the oldest of them is by its record time.
        objective: the longest lag that the contract allows.
        overdue: derived table -> hours that are published too late already, oldest first.
        alerts: those that are open, oldest first.
        unread: what could not be looked at, and why.
    """

    product: str
    cell: str
    owner: str | None
    ingest: IngestState
    detail: str | None = None
    committed_at: datetime | None = None
    waiting: int | None = None
    lag: timedelta | None = None
    objective: timedelta | None = None
    overdue: Mapping[str, tuple[datetime, ...]] = field(default_factory=dict)
    alerts: tuple[Alert, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def problems(self) -> tuple[str, ...]:
        """What somebody must see to, one sentence each; empty where all is well."""
        return tuple(_problems(self))

    @property
    def healthy(self) -> bool:
        """Whether there is no problem."""
        return not self.problems


def _problems(health: Health) -> Iterator[str]:
    if health.ingest is IngestState.ABSENT:
        waiting = f", and {health.waiting:,} records wait" if health.waiting else ""
        yield f"nobody ingests{waiting}"
    elif health.ingest in (IngestState.STALLED, IngestState.RETRYING):
        yield f"ingest is {health.ingest}: {health.detail}"
    if health.lag is not None and health.objective is not None and health.lag > health.objective:
        yield (
            f"the oldest record that waits is {health.lag.total_seconds():,.0f} s old, the contract allows "
            f"{in_words(health.objective)}"
        )
    for table, hours in health.overdue.items():
        if hours:
            yield f"{table}: {len(hours)} hours are overdue since {hours[0]:%Y-%m-%dT%H}"
    if health.alerts:
        newest = health.alerts[-1]
        yield f"{len(health.alerts)} alerts are open, the last {newest.kind}: {newest.detail}"
    yield from health.unread
