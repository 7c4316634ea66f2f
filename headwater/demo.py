"""The demo: real records, brought to audited derived tables by the running stack itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from headwater.produce.file import produce_file
from headwater.produce.generated import Order, produce_generated
from headwater.produce.model import Produced, Shares
from pipeline.batch.planning.plan import plan_hours
from pipeline.batch.planning.read_inputs import read_plan_inputs
from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.control.publications import latest, read_publications
from pipeline.dead_letters.reasons import letters_by_reason
from pipeline.errors import RetryableError
from pipeline.hours.read import read_hour_states
from pipeline.kafka.connect import connect_admin
from pipeline.kafka.topics import describe_topic, stable_offsets
from pipeline.ledger.read import read_ledger
from pipeline.ledger.verify import Verification, verify_ledger
from pipeline.supervision.heartbeat import batch_heartbeat_file, heartbeat_file, read_heartbeat
from pipeline.supervision.locks import batch_lock, ingest_lock, lock_holder
from pipeline.tables.catalog import TableMissingError, load_table
from pipeline.tables.layout import events_table

POLL_S = 2.0
SHARES = Shares(late=0.01, duplicates=0.01, poison=0.002)

Say = Callable[[str], None]


class DemoTimeoutError(RetryableError):
    """The stack did not get there in time."""


@dataclass(frozen=True)
class Outcome:
    """What became of one product's records.

    Attributes:
        reasons: dead letters by reason.
        hours_closed: hours that are closed by now.
        hours_published: of the tables together, and the expectations met over them.
    """

    product: Product
    produced: Produced
    verification: Verification
    reasons: Mapping[str, int]
    hours_closed: int
    hours_published: int
    rows_published: int
    expectations_met: int


def generate(cell: Cell, product: Product, events: int, hours: int) -> Produced:
    """Produce `events` records over `hours` past hours: some late, some twice, some poison."""
    order = Order(count=events, backfill_hours=hours, shares=SHARES, seed=time.time_ns() % 2**31)
    return produce_generated(cell, product, order)


def load(cell: Cell, product: Product, file: str, rows: int) -> Produced:
    """Produce the first `rows` rows of `file`."""
    return produce_file(cell, product, file, limit=rows)


def wait_until_ingested(cell: Cell, product: Product, timeout_s: float, say: Say) -> None:
    """Return once everything that Kafka holds now is in the tables.

    Raises:
        DemoTimeoutError: it is not after `timeout_s`.
    """
    with connect_admin(cell) as admin:
        partitions = describe_topic(admin, product.topic.name).partitions
        ends = stable_offsets(admin, product.topic.name, partitions)

    def waiting() -> tuple[int, str]:
        try:
            offsets = read_ledger(cell, product).offsets
        except TableMissingError:
            offsets = None
        done = offsets.next if offsets else {}
        left = sum(max(0, end - done.get(p, 0)) for p, end in ends.items())
        return left, f"{left:,} records wait{_ingest_activity(cell, product) if left else ''}"

    _wait(f"ingesting {product.name}", waiting, timeout_s, say)


def wait_until_published(cell: Cell, product: Product, timeout_s: float, say: Say) -> None:
    """Return once every hour that is closed by then is published.

    Raises:
        DemoTimeoutError: it is not after `timeout_s`.
    """

    def waiting() -> tuple[int, str]:
        builds = len(plan_hours(product, read_plan_inputs(cell, product)).builds)
        return builds, f"{builds:,} hours wait{_build_activity(cell, product) if builds else ''}"

    _wait(f"building hours of {product.name}", waiting, timeout_s, say)


def first_publication_after(
    cell: Cell, products: Iterable[Product], since: datetime
) -> timedelta | None:
    """Return how long after the first commit since `since` the first hour was published; None if none was."""
    commits, published = [], []
    for product in products:
        snapshots = load_table(cell, events_table(product.name)).metadata.snapshots
        commits += [datetime.fromtimestamp(one.timestamp_ms / 1000, UTC) for one in snapshots]
        published += [one.published_at for one in read_publications(cell, product.name)]
    first_commit = min((at for at in commits if at >= since), default=None)
    first_hour = min((at for at in published if at >= since), default=None)
    return None if first_commit is None or first_hour is None else first_hour - first_commit


def outcome(cell: Cell, product: Product, produced: Produced) -> Outcome:
    """Return the product's ledger, recounted, and what is published of it."""
    publications = latest(read_publications(cell, product.name)).values()
    return Outcome(
        product=product,
        produced=produced,
        verification=verify_ledger(cell, product),
        reasons=letters_by_reason(cell, product),
        hours_closed=len(read_hour_states(cell, product).closed),
        hours_published=len(publications),
        rows_published=sum(publication.rows for publication in publications),
        expectations_met=sum(publication.expectations for publication in publications),
    )


def _ingest_activity(cell: Cell, product: Product) -> str:
    if lock_holder(ingest_lock(cell, product.name)) is None:
        return ", the ingest starts"
    beat = read_heartbeat(heartbeat_file(cell, product.name))
    return f", {beat.waits}" if beat is not None and beat.waits else ""


def _build_activity(cell: Cell, product: Product) -> str:
    owner = lock_holder(batch_lock(cell, product.name))
    if owner is None:
        return ", a run is about to start"
    beat = read_heartbeat(batch_heartbeat_file(cell, product.name))
    doing = beat.doing if beat is not None and beat.run_id == owner else None
    return f": {doing}" if doing else ", Spark starts"


def _wait(what: str, waiting: Callable[[], tuple[int, str]], timeout_s: float, say: Say) -> None:
    deadline = time.monotonic() + timeout_s
    told = ""
    while True:
        left, line = waiting()
        if line != told:
            say(f"{what}: {line}")
            told = line
        if left == 0:
            return
        if time.monotonic() > deadline:
            raise DemoTimeoutError(
                f"after {timeout_s:.0f} s, {line}.",
                subject=what,
                remedy="Look at the runs in the Dagster UI, and at the logs that `headwater status` names.",
            )
        time.sleep(POLL_S)
