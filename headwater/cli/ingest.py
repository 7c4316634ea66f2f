"""`headwater ingest`: Kafka to Iceberg, exactly once."""

from __future__ import annotations

import json
import os
from dataclasses import asdict

import click

from headwater.cli.options import cell_option, json_option, product_argument, resolve, user_name
from headwater.signals import until_signalled
from pipeline.errors import ExitCode
from pipeline.ingest.limits import DEFAULT_LIMITS, Limits
from pipeline.settings import MIN_INGEST_MEMORY_MB, load_settings


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
    default=DEFAULT_LIMITS.max_records,
    show_default=True,
    help="Records of one micro-batch, over all partitions.",
)
@click.option(
    "--memory-mb",
    type=click.IntRange(min=MIN_INGEST_MEMORY_MB),
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
    ends it. While it runs, Dagster starts no ingest of the product; while another ingests it, a run of
    Dagster for one, it says who, and ends with 4.

    Exit codes: 0 caught up, 3 somebody must act (also where all is ingested but what is held back until
    the contract lists its payload version), 4 try again, 130 Ctrl-C, 143 SIGTERM.

    \b
    Examples:
      headwater ingest run viewing_events --cell us
      headwater ingest run viewing_events --cell us --once --json
      headwater ingest run viewing_events --cell us --explain
    """
    from headwater.cli.render.ingest import ProgressLine, print_plan, print_report
    from pipeline.ingest.run import ingest as run_ingest
    from pipeline.ingest.run import plan_ingest
    from pipeline.supervision.locks import hold_lock, ingest_lock

    loaded, where = resolve(product, cell)
    limits = Limits(
        max_records=max_records, memory_mb=memory_mb or load_settings().ingest_memory_mb
    )
    if explain:
        print_plan(plan_ingest(where, loaded, limits), as_json=as_json)
        return ExitCode.OK
    progress = ProgressLine(quiet=as_json)
    with hold_lock(ingest_lock(where, loaded.name), f"headwater ingest run, pid {os.getpid()}"):
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
    print_report(report, as_json=as_json)
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
@json_option
def accept_loss_command(
    product: str, cell: str, topic: str, partition: int, offsets: str, reason: str, as_json: bool
) -> ExitCode:
    """Record offsets that Kafka deleted before they were ingested as lost, so that ingest goes on.

    \b
    Example:
      headwater ingest accept-loss viewing_events --cell us --topic viewing_events_v3 \\
          --partition 3 --offsets 1200..1500 --reason "retention passed during the outage"
    """
    from pipeline.ingest.operations.accept_loss import accept_loss

    start, end = _offsets(offsets)
    loaded, where = resolve(product, cell)
    accept_loss(where, loaded, topic, partition, start, end, reason)
    if as_json:
        document = {"topic": topic, "partition": partition, "start": start, "end": end}
        click.echo(json.dumps(document))
    else:
        click.echo(f"recorded as lost: {topic} partition {partition} offsets {start}..{end}")
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
    from pipeline.ingest.operations.quarantine import list_quarantines, quarantine

    if is_list:
        from headwater.cli.render.ingest import print_quarantines

        loaded, where = resolve(product, cell)
        print_quarantines(list_quarantines(where, loaded), as_json=as_json)
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
