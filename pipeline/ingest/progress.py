"""The progress of a long ingest: its commits, summed now and then."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.errors import RetryableError
from pipeline.ingest.limits import DEFAULT_LIMITS, Limits
from pipeline.ingest.report import CommittedBatch
from pipeline.ingest.run import ingest
from pipeline.ingest.transform.held_back import HeldBackPartition
from pipeline.ledger.model import Entry, Totals, merge_entries, sum_totals
from pipeline.lineage.runs import ParentRun

STOP_S = 10.0
"""How long an ingest that is asked to stop may take."""
_TICK_S = 0.5


@dataclass(frozen=True, kw_only=True)
class Progress(Totals):
    """Consecutive commits, summed.

    Attributes:
        commits: how many.
        snapshot_id, committed_at, lag, held_back: of the last one.
        entries: what became of the offsets that they added together, one entry a partition.
        reasons: dead letters by reason.
        singly: events that were decoded one by one.
    """

    commits: int
    snapshot_id: int
    committed_at: datetime
    entries: tuple[Entry, ...]
    reasons: Mapping[str, int]
    lag: int
    held_back: Mapping[int, int] = field(default_factory=dict)
    singly: int = 0


def summarize(commits: list[CommittedBatch]) -> Progress:
    """Sum consecutive commits, oldest first.

    Raises:
        ValueError: there are none.
    """
    if not commits:
        raise ValueError("no commits to sum")
    reasons: Counter[str] = Counter()
    for commit in commits:
        reasons.update(commit.reasons)
    return Progress(
        commits=len(commits),
        snapshot_id=commits[-1].snapshot_id,
        committed_at=commits[-1].committed_at,
        entries=merge_entries(entry for commit in commits for entry in commit.entries),
        **asdict(sum_totals(commits)),
        reasons=dict(reasons),
        lag=commits[-1].lag,
        held_back=commits[-1].held_back,
        singly=sum(commit.singly for commit in commits),
    )


def ingest_with_progress(
    cell: Cell,
    product: Product,
    *,
    run_id: str,
    ended: Callable[[], bool],
    once: bool = False,
    limits: Limits = DEFAULT_LIMITS,
    every_s: float = 60.0,
    on_retry: Callable[[RetryableError, float], None] | None = None,
    on_held_back: Callable[[Sequence[HeldBackPartition]], None] | None = None,
    parent: ParentRun | None = None,
) -> Iterator[Progress]:
    """Ingest until `ended`, yielding the sums of new commits at most once every `every_s` seconds.

    The first comes with the first commit, the last at the end. `ended` is asked several times a
    second and heeded between commits. With `once`, ends when caught up. Closing the iterator, or an
    exception raised in it (an interrupt), stops the ingest between commits, within `STOP_S` seconds.

    Raises: as `ingest`.
    """
    stop = threading.Event()
    commits: queue.SimpleQueue[CommittedBatch] = queue.SimpleQueue()
    failure: list[BaseException] = []

    def work() -> None:
        try:
            ingest(
                cell,
                product,
                once=once,
                limits=limits,
                stop=stop,
                on_commit=commits.put,
                on_retry=on_retry,
                on_held_back=on_held_back,
                run_id=run_id,
                parent=parent,
            )
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            failure.append(error)

    # A thread of its own: an interrupt then ends the waiting below, never a commit half made.
    worker = threading.Thread(target=work, name=f"ingest {product.name}", daemon=True)
    worker.start()
    pending: list[CommittedBatch] = []
    reported_at = float("-inf")
    try:
        while worker.is_alive():
            with contextlib.suppress(queue.Empty):
                pending.append(commits.get(timeout=_TICK_S))
            if ended():
                stop.set()
            if pending and time.monotonic() - reported_at >= every_s:
                reported_at = time.monotonic()
                yield summarize(pending)
                pending = []
        while not commits.empty():
            pending.append(commits.get())
        if pending:
            yield summarize(pending)
    finally:
        stop.set()
        worker.join(STOP_S)
    if failure:
        raise failure[0]
