"""Making dead letters, finding them, planning and replaying them, and looking at what landed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.dead_letters.fill import fill, late_product
from benchmarks.dead_letters.queries import Query, queries
from benchmarks.dead_letters.work import (
    Took,
    ingested,
    planned,
    replayed,
    sent_by_hand,
    timed,
)
from benchmarks.exactly_once import Held, held
from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.dead_letters.fate import Fate
from pipeline.dead_letters.read import load_letter_tables, read_letters
from pipeline.dead_letters.selection import Selection
from pipeline.produce.topic import ensure_topic

OPEN, REPLAYED = "open", "replayed"
WARM_UP = 500
"""Dead letters that each process tries out before its clock starts."""


@dataclass(frozen=True)
class Order:
    """What to measure: so many dead letters, and a few, for how memory goes with their number."""

    letters: int = 100_000
    few: int = 10_000
    value_bytes: int = 500
    queries: int = 30
    commands: int = 5


@dataclass(frozen=True)
class Replayed:
    """What a number of dead letters took.

    Attributes:
        made: the ingest that found them to be dead letters.
        landed: the ingest of what was replayed.
        fates: of the dead letters in the end.
    """

    made: Took
    plan: Took
    by_hand: Took
    replay: Took
    landed: Took
    held: Held
    fates: dict[str, int]
    queries: tuple[Query, ...]

    @property
    def once(self) -> bool:
        """Whether every event is a row once, and all dead letters say so."""
        counts = {self.held.rows, self.held.coordinates, self.held.uuids, self.held.dead_letters}
        return counts == {self.held.sent} and self.fates == {Fate.LANDED.value: self.held.sent}


def warm_up_product(root: Path, cell: Cell, order: Order) -> Product:
    """Return a product with a few open dead letters, for each process to warm up with.

    Raises: as `measure`.
    """
    product = late_product(root / "contracts", "late_warm_up")
    fill(cell, product, WARM_UP, order.value_bytes)
    timed(ingested, cell, product, None)
    return product


def measure(
    root: Path,
    cell: Cell,
    warm_up: Product,
    order: Order,
    letters: int,
    say: Callable[[str], None],
) -> Replayed:
    """Make `letters` dead letters in a cell and replay them; ask for them where they are not the few.

    Raises:
        RuntimeError: a process failed, or a topic was not filled.
    """
    product = late_product(root / "contracts", f"late_{letters}")
    aside = late_product(root / "contracts", f"by_hand_{letters}")
    ensure_topic(cell, aside)
    say(f"filling {letters:,} records")
    fill(cell, product, letters, order.value_bytes)
    made = timed(ingested, cell, product, warm_up)
    asked = []
    if letters == order.letters:
        asked += queries(root, cell, product, OPEN, order.queries, order.commands)
    plan = _told(say, "plan", timed(planned, cell, product, warm_up))
    # Elsewhere: in their own topic they would be dead letters once more.
    by_hand = _told(say, "by hand", timed(sent_by_hand, cell, product, warm_up, aside.topic.name))
    replay = _told(say, "replay", timed(replayed, cell, product, warm_up))
    landed = _told(say, "ingest", timed(ingested, cell, product, warm_up))
    if letters == order.letters:
        asked += queries(root, cell, product, REPLAYED, order.queries, order.commands)
    fates = read_letters(load_letter_tables(cell, product), Selection()).get_column("fate")
    return Replayed(
        made=made,
        plan=plan,
        by_hand=by_hand,
        replay=replay,
        landed=landed,
        held=held(cell, product, letters),
        fates=dict(fates.value_counts().iter_rows()),
        queries=tuple(asked),
    )


def _told(say: Callable[[str], None], what: str, took: Took) -> Took:
    say(
        f"{what}: {took.count:,} in {took.seconds:.2f} s, {took.count / took.seconds:,.0f}/s, "
        f"{took.before_mb:,.0f} to {took.peak_mb:,.0f} MB"
    )
    return took
