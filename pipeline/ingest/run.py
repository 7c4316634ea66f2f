"""Ingest: Kafka to Iceberg, exactly once. docs/explanation/exactly-once.md tells it step by step."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from uuid import uuid4

from pipeline.cells import Cell
from pipeline.clock import Clock, utc_now
from pipeline.contract.model import Product
from pipeline.contract.reload import ContractWatch
from pipeline.contract.source.mistakes import ContractError
from pipeline.errors import HeadwaterError, RetryableError
from pipeline.ingest.failures.alert import alert_refused
from pipeline.ingest.failures.failed_batch import BatchFailedError
from pipeline.ingest.failures.unnamed import UNNAMED, named
from pipeline.ingest.follow_contract import ContractFollower, HeldBackReporter
from pipeline.ingest.limits import DEFAULT_LIMITS, Limits
from pipeline.ingest.lineage.run import IngestLineage
from pipeline.ingest.loop import IngestLoop
from pipeline.ingest.model import Plan
from pipeline.ingest.report import CommittedBatch, IngestReport
from pipeline.ingest.session import Session
from pipeline.ingest.transform.held_back import HeldBackPartition
from pipeline.lineage.runs import ParentRun
from pipeline.logs import log_context
from pipeline.maintenance.trim import Trimmer
from pipeline.supervision.heartbeat import Pulse, heartbeat_file
from pipeline.supervision.locks import confirm_lock, ingest_lock


def ingest(
    cell: Cell,
    product: Product,
    *,
    once: bool = False,
    limits: Limits = DEFAULT_LIMITS,
    stop: threading.Event | None = None,
    on_commit: Callable[[CommittedBatch], None] | None = None,
    on_retry: Callable[[RetryableError, float], None] | None = None,
    on_contract: Callable[[Product | ContractError], None] | None = None,
    on_held_back: Callable[[Sequence[HeldBackPartition]], None] | None = None,
    run_id: str | None = None,
    clock: Clock = utc_now,
    parent: ParentRun | None = None,
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

    Between batches, at most twice a minute, its own commits that are older than five minutes are let go,
    their ledger entries archived before: the latency of a commit grows with the snapshots that there are.

    OpenLineage events tell of it; `parent` is the run that it is part of.

    A record that an error without a name comes of is a dead letter. If none is to blame, the batch is
    tried again, and then refused, which is also told in the product's alerts.

    Raises:
        RetryableError: broker, registry or catalog stayed out of reach (at once, with `once`), or
            memory ran out. LeaseLostError, at once: this process holds the product's ingest lock no longer.
        TerminalError: one of pipeline.ingest.offset_checks, EvolutionRefusedError, TableRolledBackError,
            TopicMissingError, BatchFailedError; IngestFailedError for any error without a name, which
            is its cause.
    """
    stop = stop or threading.Event()
    run_id = run_id or str(uuid4())
    report = IngestReport()
    lineage = IngestLineage(cell, product, run_id, clock, parent)
    pulse = Pulse(heartbeat_file(cell, product.name), run_id, clock)
    pulse.beat(0)

    def committed(batch: CommittedBatch) -> None:
        lineage.committed(batch, report)
        if on_commit is not None:
            on_commit(batch)

    try:
        with (
            log_context(product=product.name, cell=cell.name, run_id=run_id),
            Session(cell, product, limits, run_id, stop, clock) as session,
        ):
            follow = ContractFollower(session, lineage, ContractWatch(product.folder), on_contract)
            session.contract_changed = partial(follow, at_once=True)
            report_held_back = HeldBackReporter(session, report, on_held_back)

            trimmer = Trimmer(cell, product, clock)

            lock = ingest_lock(cell, product.name)

            def before_plan() -> None:
                confirm_lock(lock, at_once=False)
                follow()
                trimmer.between_batches()
                report_held_back()

            IngestLoop(
                session,
                report,
                limits,
                stop,
                before_plan,
                on_topic=lineage.started,
                on_commit=committed,
                on_retry=on_retry,
                once=once,
                pulse=pulse,
            ).run()
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
    lineage.ended(report, cut_short=once and report.stopped)
    return report


def plan_ingest(cell: Cell, product: Product, limits: Limits = DEFAULT_LIMITS) -> Plan:
    """Return what the next micro-batch would read. Creates the tables if absent, commits nothing.

    Raises: as `ingest`.
    """
    with Session(cell, product, limits, "explain", threading.Event(), utc_now) as session:
        return session.plan(None).plan
