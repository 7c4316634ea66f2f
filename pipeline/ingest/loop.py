"""The loop of an ingest: plan, execute, report, again; and what is waited out in between."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pipeline.errors import RetryableError
from pipeline.ingest.context import ContractChangedError, StopRequestedError
from pipeline.ingest.limits import Limits
from pipeline.ingest.model import PlannedBatch
from pipeline.ingest.report import CommittedBatch, IngestReport
from pipeline.ingest.session import Session
from pipeline.supervision.heartbeat import Pulse
from pipeline.supervision.lease import LeaseLostError
from pipeline.tables.commit import CommitConflictError, CommitUnknownError

_LOG = logging.getLogger(__name__)
POLL_S = 0.5
"""How long a caught-up ingest waits before it looks again."""
MAX_FAILURES = 8
"""Failures in a row that may pass before an ingest gives up; each is waited for twice as long."""


@dataclass
class IngestLoop:
    """Ingests one micro-batch after the other.

    Attributes:
        report: what is committed is counted into it.
        before_plan: called before each plan.
        on_topic: called with the topic's id after each plan.
        once: end when caught up with the topic as it is at the first plan.
        pulse: beats after each plan and each commit, and before an error is waited out.
    """

    session: Session
    report: IngestReport
    limits: Limits
    stop: threading.Event
    before_plan: Callable[[], None]
    on_topic: Callable[[str], None]
    on_commit: Callable[[CommittedBatch], None] | None
    on_retry: Callable[[RetryableError, float], None] | None
    once: bool
    pulse: Pulse
    _failures: int = 0
    _targets: Mapping[int, int] | None = None

    def run(self) -> None:
        """Ingest until caught up, with `once`, or until `stop` is set.

        Raises: as `ingest`, errors without a name as they are.
        """
        while not self.stop.is_set():
            began = time.monotonic()
            self.before_plan()
            try:
                planned = self._plan()
                self.pulse.beat(self.report.commits)
                if planned.plan.is_empty and planned.has_offsets:
                    self.report.lag = planned.plan.lag
                    if self.once:
                        return
                    self.stop.wait(POLL_S)
                    continue
                committed = self.session.execute(planned)
                self._failures = 0
            except StopRequestedError:
                break
            except ContractChangedError:
                continue
            except LeaseLostError:
                raise
            except RetryableError as error:
                self.session.reset()
                pause = self._pause_after(error)
                if pause is None:
                    raise
                if not isinstance(error, CommitConflictError):
                    self.pulse.beat(self.report.commits, waits=str(error))
                if self.on_retry is not None:
                    self.on_retry(error, pause)
                self.stop.wait(pause)
                continue
            if committed is not None:
                self._committed(committed, began)
        self.report.stopped = True

    def _plan(self) -> PlannedBatch:
        planned = self.session.plan(self._targets)
        self.on_topic(planned.plan.identity.topic_id)
        if self.once and self._targets is None:
            self._targets = planned.topic.stable
        return planned

    def _committed(self, committed: CommittedBatch, began: float) -> None:
        self.report.add(committed)
        _LOG.info(
            "committed %d rows, %d duplicates and %d dead letters",
            committed.rows,
            committed.duplicates,
            committed.dead_letters,
            extra={"snapshot_id": committed.snapshot_id, "offsets": dict(committed.ranges)},
        )
        self.pulse.beat(self.report.commits, committed.committed_at)
        if self.on_commit is not None:
            self.on_commit(committed)
        taken = sum(end - start for start, end in committed.ranges.values())
        has_caught_up = committed.lag <= 0 and taken < self.limits.max_records
        if has_caught_up and not self.once:
            # Fewer, larger files: what arrives meanwhile goes into the next commit.
            self.stop.wait(max(0.0, self.limits.linger_s - (time.monotonic() - began)))

    def _pause_after(self, error: RetryableError) -> float | None:
        """Return how many seconds to wait before the next plan, None where it is time to give up."""
        if isinstance(error, CommitConflictError):
            # Not a failure, however often: somebody else's commit was progress.
            return random.uniform(0.05, 0.5)  # noqa: S311 - not secret
        self._failures += 1
        is_unknown = isinstance(error, CommitUnknownError)
        if self._failures > MAX_FAILURES or (self.once and not is_unknown):
            return None
        return (0.05 if is_unknown else 0.25) * (1 << self._failures)
