"""One measurement: fill a topic, then let an ingest work it off while its memory is watched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from benchmarks import filling
from benchmarks.backlog.drain import Drained, drain
from benchmarks.backlog.files import files_document, skipping_document
from benchmarks.engine import Engine
from benchmarks.exactly_once import Held, held
from pipeline.cells import Cell
from pipeline.clock import utc_now
from pipeline.contract.model import Product
from pipeline.ingest.limits import DEFAULT_LIMITS

HOURS = 6.0
WARM_UP = 10_000


@dataclass(frozen=True)
class Order:
    """What to measure. `memory_mb` is the setting; None is the engine's own."""

    events: int = 20_000_000
    value_bytes: int = 100
    memory_mb: int | None = None


@dataclass(frozen=True)
class Measured:
    """What was measured."""

    filled: filling.Filled
    drained: Drained
    held: Held
    files: dict[str, Any]
    skipping: dict[str, Any]


def warm_up(cell: Cell, product: Product) -> None:
    """Ingest a few records of another `plain_product`, in a process of its own: compiled code is kept.

    Raises:
        EngineFailedError: the ingest ended by an error.
        RuntimeError: the topic could not be filled.
    """
    filling.fill(cell, product, filling.Order(WARM_UP))
    engine = Engine(cell, product, DEFAULT_LIMITS, once=True)
    try:
        engine.go()
        while engine.listen(1):
            pass
    finally:
        engine.kill()


def measure(cell: Cell, product: Product, order: Order, say: Callable[[str], None]) -> Measured:
    """Fill the topic of a `plain_product`, ingest it once, and look at what came of it.

    Raises:
        EngineFailedError: the ingest ended by an error.
        RuntimeError: the topic could not be filled.
    """
    # A whole minute before now, so that event times lie in known minutes.
    until = utc_now().replace(second=0, microsecond=0) - timedelta(minutes=1)
    fill = filling.Order(
        order.events,
        value_bytes=order.value_bytes,
        until=int(until.timestamp() * 1_000_000),
        hours=HOURS,
    )
    filled = filling.fill(cell, product, fill, say)
    say(f"filled in {filled.seconds:.0f} s, {filled.events / filled.seconds:,.0f} events/s")
    drained = drain(cell, product, order.memory_mb, say)
    middle = until - timedelta(hours=HOURS / 2)
    return Measured(
        filled=filled,
        drained=drained,
        held=held(cell, product, order.events),
        files=files_document(cell, product),
        skipping=skipping_document(cell, product, middle),
    )
