"""`headwater trace`: one event's life by its uuid."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from headwater.cli.options import (
    all_products,
    cell_option,
    complete_products,
    json_option,
    resolve,
)
from headwater.cli.progress import progress
from pipeline.errors import ExitCode

if TYPE_CHECKING:
    from pipeline.trace.model import Trace


@click.command()
@click.argument("uuid", metavar="UUID")
@click.option(
    "--product",
    help="Look in this product alone.  [default: all that live in the cell]",
    shell_complete=complete_products,
)
@cell_option
@click.option(
    "--duplicates",
    type=click.Choice(["near", "all", "none"]),
    default="near",
    show_default=True,
    help="Look in Kafka for copies that were dropped: in the 100,000 offsets behind the event, for two "
    "seconds; in all that Kafka has; or not at all.",
)
@json_option
def trace(uuid: str, product: str | None, cell: str, duplicates: str, as_json: bool) -> ExitCode:
    """Show the life of the event UUID: every state, when, and by what evidence.

    Where its record stood and what its headers say, the commit and the snapshot that made a row of it, dead
    letters and their replays, copies that were dropped as duplicates, and the hours of derived tables that
    are computed from it, build by build. None of the event's values is shown.

    Copies are found only in Kafka, and as long as it has them: what was looked at and what was not is told.
    Exit codes: 0 something of it is known (a row, a dead letter, a record that is not ingested yet, a row
    that retention has deleted), 1 nothing is, 3 somebody must act, 4 try again.

    \b
    Examples:
      headwater trace 0b7e4a52-6f0c-5d1a-9b1e-3f6a2c1d4e5f --cell us
      headwater trace 0b7e4a52-6f0c-5d1a-9b1e-3f6a2c1d4e5f --cell us --product viewing_events --json
      headwater trace 0b7e4a52-6f0c-5d1a-9b1e-3f6a2c1d4e5f --cell us --duplicates all
    """
    from headwater.cli.render.lineage.trace import print_traces

    with progress("tracing the event", quiet=as_json):
        found = _traces(uuid, product, cell, duplicates)
    print_traces(uuid, found, as_json=as_json)
    known = any(one.answer.is_known for one in found)
    return ExitCode.OK if known else ExitCode.CHECK_FAILED


def _traces(uuid: str, product: str | None, cell: str, duplicates: str) -> list[Trace]:
    """Return the traces of products that know the event; of none, those of all that were asked."""
    with _collecting_no_garbage():
        import pipeline.contract.load  # noqa: F401 - of `resolve`
        from pipeline.cells import load_cell
        from pipeline.settings import load_settings
        from pipeline.trace.duplicates import EVERYTHING, NEAR, NOTHING
        from pipeline.trace.read import has_events, trace_event

    limits = {"near": NEAR, "all": EVERYTHING, "none": NOTHING}[duplicates]
    if product is not None:
        loaded, where = resolve(product, cell)
        return [trace_event(where, loaded, uuid, limits)]
    found = []
    where = load_cell(load_settings().home, cell)
    for name in all_products():
        if has_events(where, name):
            loaded, where = resolve(name, cell)
            found.append(trace_event(where, loaded, uuid, limits))
    return [one for one in found if one.answer.is_known] or found


@contextmanager
def _collecting_no_garbage() -> Iterator[None]:
    """Let imports make what they make: a tenth of their time goes into looking for garbage that is none."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
