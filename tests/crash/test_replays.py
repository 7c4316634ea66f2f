"""Replays are killed wherever they may die, beside others who replay, ingest and maintain: each event once.

The kills are drawn from a seed. After each, whoever comes next replays what is left, and an ingest catches
up; then every event that came too late is a row, and the independent verifier finds nothing.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.dead_letters.read import load_letter_tables, read_letters
from pipeline.dead_letters.replay import replay
from pipeline.dead_letters.selection import Selection
from pipeline.errors import RetryableError
from pipeline.failpoints import arm
from pipeline.ingest.limits import Limits
from pipeline.ingest.run import ingest
from pipeline.ledger.verify import verify_ledger
from pipeline.maintenance.plan import MaintenancePolicy
from pipeline.maintenance.run import maintain_tables
from pipeline.produce.event_writer import EventWriter
from pipeline.produce.topic import ensure_topic
from pipeline.schemas.open import open_registry
from pipeline.supervision.locks import LockHeldError
from pipeline.tables.catalog import load_table
from pipeline.tables.layout import events_table
from tests.support.apart import Attempt, start_apart
from tests.support.attempts import catch_up
from tests.support.counts import COUNTS
from tests.support.failpoints import failpoints_of
from tests.support.judge import judge
from tests.support.lineage_whole import assert_lineage_whole
from tests.support.products import own_product

pytestmark = pytest.mark.timeout(3600)
EACH = 40
"""Events that come too late before each kill, beside as many in time and a few that nobody reads."""
LATE_US = 20_000_000
BESIDE = ("nothing", "rival", "ingest", "maintenance")


@dataclass(frozen=True)
class ReplayKill:
    """A replay that dies at a failpoint, and what goes on beside it."""

    failpoint: str
    beside: str


def draw_replay_kills(seed: int, count: int) -> tuple[ReplayKill, ...]:
    """Return kills: every failpoint in turn, each time beside something else."""
    chosen = random.Random(seed)  # noqa: S311 - repeatable, not secret
    places = failpoints_of("replay")
    return tuple(
        ReplayKill(places[n % len(places)], BESIDE[(n + chosen.randrange(2)) % len(BESIDE)])
        for n in range(count)
    )


@pytest.fixture
def product(cell: Cell, tmp_path: Path) -> Product:
    """The strict test product, on a topic of its own."""
    found = own_product("strict_events", tmp_path / "contracts")
    ensure_topic(cell, found)
    return found


def test_no_event_is_lost_or_doubled(
    cell: Cell, product: Product, request: pytest.FixtureRequest
) -> None:
    seed, kills = _asked(request)
    sent = 0
    for number, kill in enumerate(draw_replay_kills(seed, kills)):
        sent = _send(cell, product, sent)
        catch_up(cell, product)
        died = start_apart(cell.root, partial(_replay, cell, product, kill.failpoint))
        with _beside(cell, product, kill.beside):
            died.wait()
        # Every other time the killed one's records come before whoever replays next.
        if number % 2:
            catch_up(cell, product)
        _replay(cell, product, None, Path("/dev/null"))
        catch_up(cell, product)
        _assert_exactly_once(cell, product, sent)
        COUNTS["replays"][f"killed at {kill.failpoint}, beside {kill.beside}"] += 1


def _asked(request: pytest.FixtureRequest) -> tuple[int, int]:
    option = request.config.getoption
    return int(option("--crash-seed", default=1)), int(option("--replay-kills", default=5))


def _send(cell: Cell, product: Product, begin: int) -> int:
    """Send events of the numbers from `begin` on, half of them too late; return the next number."""
    now = int(time.time() * 1_000_000)
    with EventWriter(cell, product, open_registry(cell)) as writer:
        for number in range(begin, begin + 2 * EACH):
            at = now - number % 3_000 * 1_000_000 - (LATE_US if number % 2 else 0)
            key = f"s{number % 7}"
            payload = {"sensor": key, "at": at, "value": number, "note": None}
            writer.send(
                payload,
                key=key,
                event_time=at,
                uuid=f"reading-{number}",
                record_time=at + (LATE_US if number % 2 else 0),
            )
        for number in range(3):
            writer.send_raw(b"s1", b"\0\0\0\0\1" + bytes([number]), now)
    return begin + 2 * EACH


def _replay(cell: Cell, product: Product, failpoint: str | None, said: Path) -> None:
    """Replay all that is open, dying at `failpoint`; try again where somebody else is at it."""
    if failpoint is not None:
        arm(failpoint)
    while True:
        try:
            replay(cell, product, Selection(), by="suite", reason="late")
        except (RetryableError, LockHeldError) as error:
            if said.exists() and said.is_file():
                said.write_text(f"{error}")
            time.sleep(0.1)
        else:
            return


@contextmanager
def _beside(cell: Cell, product: Product, what: str) -> Iterator[None]:
    works: dict[str, Callable[[Path], object]] = {
        "rival": partial(_replay, cell, product, None),
        "ingest": partial(_ingest_on, cell, product),
        "maintenance": partial(_maintain, cell, product),
    }
    attempt: Attempt | None = None
    if what in works:
        attempt = start_apart(cell.root, works[what])
    try:
        yield
        if attempt is not None and what != "ingest":
            attempt.wait()
    finally:
        if attempt is not None:
            attempt.end()


def _ingest_on(cell: Cell, product: Product, _said: Path) -> None:
    while True:
        ingest(cell, product, once=True, limits=Limits(max_records=7))


def _maintain(cell: Cell, product: Product, _said: Path) -> None:
    for _ in range(3):
        list(maintain_tables(cell, product, None, MaintenancePolicy()))


def _assert_exactly_once(cell: Cell, product: Product, sent: int) -> None:
    findings = judge(cell, product)
    assert findings.exact, findings
    uuids = load_table(cell, events_table(product.name)).scan().to_arrow().column("_uuid")
    assert sorted(uuids.to_pylist()) == sorted(f"reading-{number}" for number in range(sent))
    letters = read_letters(load_letter_tables(cell, product), Selection())
    by_reason = dict(letters.group_by("reason", "fate").len().rows_by_key(["reason", "fate"]))
    assert set(by_reason) == {("stale", "landed"), ("undecodable", "open")}
    verification = verify_ledger(cell, product)
    assert verification.balanced, verification.problems
    assert_lineage_whole(cell, product)
