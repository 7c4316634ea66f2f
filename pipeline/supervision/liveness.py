"""Keeping exactly one run alive: who works, who died without saying so, and when to start again.

An orchestrator that is killed leaves runs which it calls running for ever. The truth is the work's
lock (pipeline/supervision/locks.py), which dies with its process. A run that is not the lock's owner is first
suspected and only later called dead: it may be starting, or ending, at the moment of one check.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class RunPhase(StrEnum):
    """How far an unfinished run is, as its orchestrator tells."""

    WAITING = "waiting"
    STARTING = "starting"
    RUNNING = "running"


GRACE_PERIOD = {RunPhase.STARTING: timedelta(seconds=120), RunPhase.RUNNING: timedelta(seconds=60)}
"""How long a run may be seen in one phase without the lock before it is called dead.

A waiting run may wait for ever. A loaded machine takes tens of seconds to start a process.
"""

FIRST_BACKOFF = timedelta(seconds=15)
LONGEST_BACKOFF = timedelta(minutes=10)


@dataclass(frozen=True)
class UnfinishedRun:
    """A run that its orchestrator has not seen end."""

    run_id: str
    phase: RunPhase


@dataclass(frozen=True)
class Liveness:
    """What one check found.

    Attributes:
        busy: somebody works, or may be about to: start nothing.
        dead: runs whose process is gone; they are to be reported as failed.
        suspects: `<run> <phase>` -> when the run was first seen so without the lock; pass it to the
            next check.
        reason: one sentence for whoever watches.
    """

    busy: bool
    dead: tuple[str, ...]
    suspects: Mapping[str, datetime]
    reason: str


def check_liveness(
    owner: str | None,
    runs: Iterable[UnfinishedRun],
    suspects: Mapping[str, datetime],
    now: datetime,
) -> Liveness:
    """Tell the living from the dead. `owner` names the lock's holder, None if it is free."""
    dead: list[str] = []
    maybe_alive: list[str] = []
    suspected: dict[str, datetime] = {}
    for run in runs:
        if run.run_id == owner:
            continue
        if run.phase is RunPhase.WAITING:
            maybe_alive.append(run.run_id)
            continue
        suspect = f"{run.run_id} {run.phase}"
        since = suspects.get(suspect, now)
        if now - since >= GRACE_PERIOD[run.phase]:
            dead.append(run.run_id)
        else:
            suspected[suspect] = since
            maybe_alive.append(run.run_id)
    if owner is not None:
        reason = f"{owner} is at work."
    elif maybe_alive:
        reason = f"Run {maybe_alive[0]} holds no lock; it may be starting or ending."
    else:
        reason = "Nobody is at work."
    return Liveness(owner is not None or bool(maybe_alive), tuple(dead), suspected, reason)


def backoff_after(failures: int) -> timedelta:
    """Return how long to wait after the last of `failures` failed runs in a row."""
    if failures == 0:
        return timedelta(0)
    doublings = min(failures - 1, 10)
    return min(FIRST_BACKOFF * (1 << doublings), LONGEST_BACKOFF)
