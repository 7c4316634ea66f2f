"""Ingest: Kafka to Iceberg, exactly once. docs/explanation/exactly-once.md tells it step by step."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import uuid4

from pipeline.cells import Cell
from pipeline.clock import Clock, utc_now
from pipeline.contract.folders import CONTRACT_FILE
from pipeline.contract.model import Product
from pipeline.contract.reload import ContractWatch
from pipeline.contract.source.mistakes import ContractError, Mistake
from pipeline.errors import HeadwaterError, RetryableError
from pipeline.ingest.failures.alert import alert_refused
from pipeline.ingest.failures.failed_batch import BatchFailedError
from pipeline.ingest.failures.unnamed import UNNAMED, named
from pipeline.ingest.limits import DEFAULT_LIMITS, Limits
from pipeline.ingest.lineage.run import IngestLineage
from pipeline.ingest.plan import Plan
from pipeline.ingest.report import Committed, IngestReport
from pipeline.ingest.session import ContractChangedError, Session, StopAskedError
from pipeline.ingest.transform.held_back import HeldBack
from pipeline.tables.commit import CommitConflictError, CommitUnknownError

POLL_S = 0.5
"""How long a caught-up ingest waits before it looks again."""
PATIENCE = 8
"""Failures in a row that may pass before an ingest gives up; each is waited for twice as long."""


def ingest(
    cell: Cell,
    product: Product,
    *,
    once: bool = False,
    limits: Limits = DEFAULT_LIMITS,
    stop: threading.Event | None = None,
    on_commit: Callable[[Committed], None] | None = None,
    on_retry: Callable[[RetryableError, float], None] | None = None,
    on_contract: Callable[[Product | ContractError], None] | None = None,
    on_held_back: Callable[[Sequence[HeldBack]], None] | None = None,
    run_id: str | None = None,
    clock: Clock = utc_now,
) -> IngestReport:
    """Bring the product's topic into its events and dead letters tables.

    With `once`, up to the last stable offsets as they are now; otherwise until `stop` is set.
    Every offset is in the tables exactly once, whatever is killed when and however many processes
    do this at the same time. `stop` is heeded within seconds, between commits; a batch that is not
    committed by then is abandoned and read again by the next ingest. `on_commit` is called after
    each commit, in this thread; `on_retry` before waiting out a retryable error, with the seconds.

    Tables follow the contract before a record is read. A contract that changes on disk is taken up within
    seconds, at a commit boundary, and told to `on_contract`; one that has mistakes is told, and the one
    in use stays.

    Records of payload versions that the contract does not list may be left to wait in Kafka, if it says
    so; which partitions wait is told to `on_held_back` whenever it changes, and stands in the report.

    A record that an error without a name comes of is a dead letter. If none is to blame, the batch is
    tried again, and then refused, which is also told in the product's alerts.

    Raises:
        RetryableError: broker, registry or catalog stayed out of reach (at once, with `once`), or
            memory ran out.
        TerminalError: one of pipeline.ingest.refusals, EvolutionRefusedError, TableRolledBackError,
            TopicMissingError, BatchFailedError; IngestFailedError for any error without a name, which
            is its cause.
    """
    stop = stop or threading.Event()
    run_id = run_id or str(uuid4())
    report = IngestReport()
    lineage = IngestLineage(cell, product, run_id, clock)
    try:
        with Session(cell, product, limits, run_id, stop, clock) as session:
            follow = _Follower(session, lineage, ContractWatch(product.folder), on_contract)
            session.look_at_contract = partial(follow, at_once=True)
            tell = _TellsWaiting(follow, session, report, on_held_back)
            _ingest(session, report, lineage, stop, on_commit, on_retry, tell, once=once)
    except HeadwaterError as error:
        lineage.ended(report, error)
        if isinstance(error, BatchFailedError):
            alert_refused(cell, product, error, run_id, clock)
        raise
    except UNNAMED as error:
        # The boundary: beyond it, every error says what to do.
        failure = named(error, f"{product.name}/{cell.name}")
        lineage.ended(report, failure)
        alert_refused(cell, product, failure, run_id, clock)
        raise failure from error
    except BaseException as error:
        lineage.ended(report, error)
        raise
    lineage.ended(report)
    return report


def _ingest(
    session: Session,
    report: IngestReport,
    lineage: IngestLineage,
    stop: threading.Event,
    on_commit: Callable[[Committed], None] | None,
    on_retry: Callable[[RetryableError, float], None] | None,
    follow: Callable[[], bool],
    *,
    once: bool,
) -> None:
    failures = 0
    targets = None
    while not stop.is_set():
        began = time.monotonic()
        follow()
        try:
            plan = session.plan(targets)
            lineage.saw(plan.identity.topic_id)
            if once and targets is None:
                targets = session.targets
            if plan.is_empty and session.is_started:
                report.lag = plan.lag
                if once:
                    return
                stop.wait(POLL_S)
                continue
            committed = session.execute(plan)
            failures = 0
        except StopAskedError:
            break
        except ContractChangedError:
            continue
        except CommitConflictError as error:
            # Not a failure, however often: somebody else's commit was progress.
            session.reset()
            _wait(error, random.uniform(0.05, 0.5), stop, on_retry)  # noqa: S311 - not secret
            continue
        except CommitUnknownError as error:
            session.reset()
            failures += 1
            if failures > PATIENCE:
                raise
            _wait(error, 0.05 * 2**failures, stop, on_retry)
            continue
        except RetryableError as error:
            session.reset()
            failures += 1
            if once or failures > PATIENCE:
                raise
            _wait(error, 0.25 * 2**failures, stop, on_retry)
            continue
        if committed is not None:
            report.add(committed)
            if on_commit is not None:
                on_commit(committed)
            if not once and session.has_caught_up(committed):
                # Fewer, larger files: what arrives meanwhile goes into the next commit.
                stop.wait(max(0.0, session.linger_s - (time.monotonic() - began)))
    report.stopped = True


@dataclass
class _Follower:
    """Lets an ingest go on by what its contract says now."""

    session: Session
    lineage: IngestLineage
    watch: ContractWatch
    on_contract: Callable[[Product | ContractError], None] | None

    def __call__(self, *, at_once: bool = False) -> bool:
        """Look whether it has changed; return whether the ingest goes on by another."""
        try:
            told: Product | ContractError | None = self.watch.changed(at_once=at_once)
        except ContractError as error:
            told = error
        except UNNAMED as error:
            # A contract that cannot be read for whatever reason must not end an ingest that needs no other.
            folder = self.watch.folder
            expected = f"a contract that can be read; {type(error).__name__} came of it"
            told = ContractError(folder.name, [Mistake(folder / CONTRACT_FILE, 1, "", expected)])
        if isinstance(told, Product):
            self.session.follow(told)
            self.lineage.follow(told)
        if told is not None and self.on_contract is not None:
            self.on_contract(told)
        return isinstance(told, Product)


@dataclass
class _TellsWaiting:
    """Tells what waits for the contract, each time that it is other partitions or offsets."""

    follow: Callable[[], bool]
    session: Session
    report: IngestReport
    on_held_back: Callable[[Sequence[HeldBack]], None] | None
    told: tuple[HeldBack, ...] = ()

    def __call__(self) -> bool:
        followed = self.follow()
        now = self.session.held_back
        self.report.held_back = {one.partition: one.offset for one in now}
        if now != self.told and self.on_held_back is not None:
            self.on_held_back(now)
        self.told = now
        return followed


def plan_ingest(cell: Cell, product: Product, limits: Limits = DEFAULT_LIMITS) -> Plan:
    """Return what the next micro-batch would read. Creates the tables if absent, commits nothing.

    Raises: as `ingest`.
    """
    with Session(cell, product, limits, "explain", threading.Event(), utc_now) as session:
        return session.plan(None)


def _wait(
    error: RetryableError,
    seconds: float,
    stop: threading.Event,
    on_retry: Callable[[RetryableError, float], None] | None,
) -> None:
    if on_retry is not None:
        on_retry(error, seconds)
    stop.wait(seconds)
