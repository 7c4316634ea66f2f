"""Keeping exactly one run alive: who works, and who died without saying so.

An orchestrator that is killed leaves runs which it calls running for ever. What is believed instead is
evidence: the work's lock (pipeline/supervision/locks.py) and the run's own process
(pipeline/supervision/processes.py). Only of a run of whose process nothing is known a clock decides.
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


class ProcessState(StrEnum):
    """What is known of a run's process."""

    ALIVE = "alive"
    """It lives, or whoever starts it does and would tell of its end."""
    GONE = "gone"
    """It has ended, by whatever cause."""
    UNKNOWN = "unknown"
    """It was not recorded, and whoever was to start it is gone."""


GRACE_PERIOD = {RunPhase.STARTING: timedelta(seconds=120), RunPhase.RUNNING: timedelta(seconds=60)}
"""How long a run of unknown process may be seen in one phase without the lock before it is called dead.

A waiting run may wait for ever. A loaded machine takes tens of seconds to start a process.
"""


@dataclass(frozen=True)
class UnfinishedRun:
    """A run that its orchestrator has not seen end."""

    run_id: str
    phase: RunPhase
    process: ProcessState = ProcessState.UNKNOWN


@dataclass(frozen=True)
class Liveness:
    """What one check found.

    Attributes:
        busy: somebody works, or may be about to: start nothing.
        dead: runs whose process is gone; they are to be reported as failed.
        suspects: `<run> <phase>` -> when the run was first seen so without the lock, its process living or
            unknown; pass it to the next check.
        reason: one sentence for whoever watches.
        owner: the lock's holder, None if it is free.
    """

    busy: bool
    dead: tuple[str, ...]
    suspects: Mapping[str, datetime]
    reason: str
    owner: str | None = None

    def lockless(self, now: datetime, at_least: timedelta) -> str | None:
        """Return the run that has been without the lock for longest, if for `at_least`."""
        if not self.suspects:
            return None
        suspect, since = min(self.suspects.items(), key=lambda one: one[1])
        return suspect.split()[0] if now - since >= at_least else None


def check_liveness(
    owner: str | None,
    runs: Iterable[UnfinishedRun],
    suspects: Mapping[str, datetime],
    now: datetime,
) -> Liveness:
    """Tell the living from the dead. `owner` names the lock's holder, None if it is free.

    A run whose process lives is never called dead, however long it holds no lock; one whose process is
    gone is called dead at once.
    """
    dead: list[str] = []
    maybe_alive: list[str] = []
    suspected: dict[str, datetime] = {}
    for run in runs:
        if run.run_id == owner:
            continue
        if run.process is ProcessState.GONE and run.phase is not RunPhase.WAITING:
            dead.append(run.run_id)
            continue
        maybe_alive.append(run.run_id)
        if run.phase is RunPhase.WAITING:
            continue
        suspect = f"{run.run_id} {run.phase}"
        since = suspects.get(suspect, now)
        is_alive = run.process is ProcessState.ALIVE
        if not is_alive and now - since >= GRACE_PERIOD[run.phase]:
            dead.append(maybe_alive.pop())
        else:
            suspected[suspect] = since
    if owner is not None:
        reason = f"{owner} is at work."
    elif maybe_alive:
        reason = f"Run {maybe_alive[0]} holds no lock; it may be starting or ending."
    else:
        reason = "Nobody is at work."
    return Liveness(owner is not None or bool(maybe_alive), tuple(dead), suspected, reason, owner)
