"""`headwater ingest`: Kafka to Iceberg, exactly once."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict

import click

from headwater.cli.options import cell_option, json_option, product_argument, resolve, user_name
from headwater.cli.signals import until_signalled
from pipeline.contract.mistakes import ContractError
from pipeline.contract.model import Product
from pipeline.errors import ExitCode, RetryableError
from pipeline.ingest.accept_loss import accept_loss
from pipeline.ingest.held_back import HeldBack, told
from pipeline.ingest.plan import Limits, Plan
from pipeline.ingest.quarantine import Standing, quarantine, standing
from pipeline.ingest.report import Committed, IngestReport
from pipeline.ingest.run import explain as explain_ingest
from pipeline.ingest.run import ingest as run_ingest
from pipeline.settings import MOST_CRAMPED_MB, load_settings


@click.group()
def ingest() -> None:
    """Bring topics into Iceberg tables, exactly once."""


@ingest.command()
@product_argument
@cell_option
@click.option("--once", is_flag=True, help="End when caught up with the topic as it is now.")
@click.option(
    "--explain", is_flag=True, help="Print what the next micro-batch would read, and end."
)
@click.option(
    "--max-records",
    type=click.IntRange(min=1),
    default=Limits().max_records,
    show_default=True,
    help="Records of one micro-batch, over all partitions.",
)
@click.option(
    "--memory-mb",
    type=click.IntRange(min=MOST_CRAMPED_MB),
    help="Memory for records in hand and uuids of open hours, beyond about 450 MiB of its own."
    "  [default: HEADWATER_INGEST_MEMORY_MB, or 1024]",
)
@json_option
def run(
    product: str,
    cell: str,
    once: bool,
    explain: bool,
    max_records: int,
    memory_mb: int | None,
    as_json: bool,
) -> ExitCode:
    """Ingest PRODUCT until stopped, or with --once until caught up.

    SIGTERM and Ctrl-C end it at a commit boundary within 10 s; nothing is lost or doubled, whatever
    ends it. Exit codes: 0 caught up, 3 somebody must act (also where all is ingested but what is held
    back until the contract lists its payload version), 4 try again, 130 Ctrl-C, 143 SIGTERM.

    \b
    Examples:
      headwater ingest run viewing_events --cell us
      headwater ingest run viewing_events --cell us --once --json
      headwater ingest run viewing_events --cell us --explain
    """
    loaded, where = resolve(product, cell)
    limits = Limits(
        max_records=max_records, memory_mb=memory_mb or load_settings().ingest_memory_mb
    )
    if explain:
        _print_plan(explain_ingest(where, loaded, limits), as_json=as_json)
        return ExitCode.OK
    progress = _Progress(quiet=as_json)
    report, signalled = until_signalled(
        lambda stop: run_ingest(
            where,
            loaded,
            once=once,
            limits=limits,
            stop=stop,
            on_commit=progress.committed,
            on_retry=progress.retrying,
            on_contract=progress.contract_changed,
            on_held_back=progress.held_back,
        )
    )
    progress.end()
    _print_report(report, as_json=as_json)
    if signalled is not None:
        return ExitCode(128 + signalled)
    return ExitCode.TERMINAL if report.held_back else ExitCode.OK


@ingest.command(name="accept-loss")
@product_argument
@cell_option
@click.option("--topic", required=True, help="The topic's name, to be sure.")
@click.option("--partition", type=click.IntRange(min=0), required=True)
@click.option("--offsets", required=True, metavar="A..B", help="The lost offsets, B excluded.")
@click.option("--reason", required=True, help="Why they cannot be restored; kept for ever.")
def accept_loss_command(
    product: str, cell: str, topic: str, partition: int, offsets: str, reason: str
) -> ExitCode:
    """Book offsets that Kafka deleted before they were ingested as lost, so that ingest goes on.

    \b
    Example:
      headwater ingest accept-loss viewing_events --cell us --topic viewing_events_v3 \\
          --partition 3 --offsets 1200..1500 --reason "retention passed during the outage"
    """
    start, end = _offsets(offsets)
    loaded, where = resolve(product, cell)
    accept_loss(where, loaded, topic, partition, start, end, reason)
    click.echo(f"booked as lost: {topic} partition {partition} offsets {start}..{end}")
    return ExitCode.OK


@ingest.command(name="quarantine")
@product_argument
@cell_option
@click.option("--partition", type=click.IntRange(min=0), help="The partition.")
@click.option("--offsets", metavar="A..B", help="The offsets to set aside, B excluded.")
@click.option("--reason", help="Why; kept for ever.")
@click.option("--by", default=user_name, help="Who does it.  [default: the user's name]")
@click.option("--list", "is_list", is_flag=True, help="Show what was set aside, and how far it is.")
@json_option
def quarantine_command(
    product: str,
    cell: str,
    partition: int | None,
    offsets: str | None,
    reason: str | None,
    by: str,
    is_list: bool,
    as_json: bool,
) -> ExitCode:
    """Set a range of offsets aside, so that ingest goes on past what it refuses.

    Every record of the range, also of offsets not written yet, becomes a dead letter `quarantined` with its
    own bytes, without being read. A running ingest heeds it from its next batch on. Nothing that is
    ingested already can be set aside.

    \b
    Examples:
      headwater ingest quarantine viewing_events --cell us --partition 3 --offsets 1200..1500 \\
          --reason "the sorting fails, see INC-12"
      headwater ingest quarantine viewing_events --cell us --list
    """
    if is_list:
        loaded, where = resolve(product, cell)
        _print_quarantines(standing(where, loaded), as_json=as_json)
        return ExitCode.OK
    for name, given in (("--partition", partition), ("--offsets", offsets), ("--reason", reason)):
        if given is None:
            raise click.UsageError(f"{name} is needed, or --list.")
    start, end = _offsets(offsets or "")
    loaded, where = resolve(product, cell)
    done = quarantine(where, loaded, partition or 0, start, end, reason=reason or "", by=by)
    if as_json:
        click.echo(json.dumps(asdict(done), default=str))
    else:
        click.echo(f"set aside: {loaded.topic.name} partition {partition} offsets {start}..{end}")
    return ExitCode.OK


def _offsets(text: str) -> tuple[int, int]:
    start, _, end = text.partition("..")
    if not (start.isdecimal() and end.isdecimal()):
        raise click.BadParameter(f"{text} is not A..B", param_hint="--offsets")
    return int(start), int(end)


def _print_quarantines(every: tuple[Standing, ...], *, as_json: bool) -> None:
    if as_json:
        told = [
            asdict(one.quarantine) | {"state": one.state, "dead_letters": one.dead_letters}
            for one in every
        ]
        click.echo(json.dumps(told, default=str))
        return
    for one in every:
        set_aside = one.quarantine
        click.echo(
            f"partition {set_aside.partition} offsets {set_aside.start}..{set_aside.end}: {one.state}, "
            f"{one.dead_letters:,} dead letters; by {set_aside.by} at {set_aside.at:%Y-%m-%d %H:%M:%S} "
            f"UTC: {set_aside.reason}"
        )
    if not every:
        click.echo("nothing was set aside")


class _Progress:
    """One line on standard error, rewritten at each commit: totals, rate and lag."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._tty = sys.stderr.isatty()
        self._began = time.monotonic()
        self._report = IngestReport()
        self._printed = 0.0

    def committed(self, committed: Committed) -> None:
        self._report.add(committed)
        now = time.monotonic()
        # A log file is not a terminal: there, a line every five seconds is enough.
        if self._quiet or (not self._tty and now - self._printed < 5):
            return
        self._printed = now
        rate = self._report.offsets / max(now - self._began, 1e-9)
        line = (
            f"{self._report.rows:,} rows, {self._report.duplicates:,} duplicates, "
            f"{self._report.dead_letters:,} dead letters in {self._report.commits:,} commits; "
            f"{rate:,.0f} records/s, lag {committed.lag:,}"
        )
        click.echo(f"\r\x1b[K{line}" if self._tty else line, nl=not self._tty, err=True)

    def retrying(self, error: RetryableError, seconds: float) -> None:
        click.echo(f"retrying in {seconds:.1f} s: {error}", err=True)

    def contract_changed(self, told: Product | ContractError) -> None:
        if isinstance(told, Product):
            click.echo(f"went on with contract version {told.version}", err=True)
        else:
            click.echo(f"the changed contract is not used: {told}", err=True)

    def held_back(self, waiting: Sequence[HeldBack]) -> None:
        click.echo(told(waiting), err=True)

    def end(self) -> None:
        if self._tty and self._printed:
            click.echo("", err=True)


def _print_plan(plan: Plan, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(asdict(plan), default=str))
        return
    click.echo(f"topic {plan.identity.topic} ({plan.identity.topic_id}), lag {plan.lag:,}")
    for title, ranges in (("read", plan.ranges), ("repair", plan.repairs), ("redo", plan.redone)):
        for r in ranges:
            click.echo(f"  {title:6} partition {r.partition}: {r.start}..{r.end} ({len(r):,})")
    if plan.is_empty:
        click.echo("  nothing to read")


def _print_report(report: IngestReport, *, as_json: bool) -> None:
    if as_json:
        # Not asdict, which makes a Counter of a Counter's items.
        click.echo(json.dumps(vars(report)))
        return
    click.echo(
        f"{report.offsets:,} offsets in {report.commits:,} commits: {report.rows:,} rows "
        f"({report.late:,} late, {report.invalid:,} invalid, {report.out_of_order:,} out of order), "
        f"{report.duplicates:,} duplicates, {report.dead_letters:,} dead letters, "
        f"{report.gaps:,} gaps; lag {report.lag:,}"
    )
    for partition, offset in sorted(report.held_back.items()):
        click.echo(f"  held back: partition {partition} from offset {offset:,}")
    if report.singly:
        click.echo(f"  decoded one by one: {report.singly:,} events")
    for reason, count in sorted(report.reasons.items()):
        click.echo(f"  dead letter {reason}: {count:,}")
    for rule, count in sorted(report.rules.items()):
        click.echo(f"  rule broken {rule}: {count:,} rows")
