"""The memory of an ingest that works off a backlog of one format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.backlog.document import BASE_MB
from benchmarks.backlog.drain import drain
from benchmarks.exactly_once import held
from benchmarks.formats.fill import fill
from benchmarks.formats.forms import product_of
from pipeline.cells import Cell
from pipeline.clock import utc_now

PARTITIONS = 4


def backlog(
    cell: Cell,
    folder: Path,
    form: str,
    events: int,
    value_bytes: int,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Fill a topic of a format, ingest it with the engine's own bound, and return what a result keeps.

    The contract is made within `folder`.

    Raises:
        EngineFailedError: the ingest ended by an error.
        RuntimeError: the topic could not be filled.
    """
    product = product_of(form, folder, f"{form}_backlog", PARTITIONS)
    say(f"filling a backlog of {events:,} events of {form}")
    fill(cell, product, form, events, value_bytes, int(utc_now().timestamp() * 1_000_000))
    drained = drain(cell, product, None, say)
    allowed = None if drained.setting_mb is None else drained.setting_mb + BASE_MB
    exact = held(cell, product, events).exact
    return {
        "format": form,
        "events": events,
        "events_a_second": round(events / drained.seconds),
        "commits": drained.commits,
        "setting_mb": drained.setting_mb,
        "allowed_mb": allowed,
        "idle_mb": round(drained.idle_mb),
        "peak_mb": round(drained.peak_mb),
        "exact": exact,
        "met": exact and (allowed is None or drained.peak_mb <= allowed),
    }
