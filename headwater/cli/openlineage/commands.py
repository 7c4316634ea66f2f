"""`headwater openlineage`: lineage that waits for its collector."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from headwater.cli.options import cell_option, json_option
from headwater.cli.progress import progress
from pipeline.errors import ExitCode
from pipeline.settings import load_settings

if TYPE_CHECKING:
    from pipeline.lineage.queue.status import QueueStatus


@click.group()
def openlineage() -> None:
    """OpenLineage events of a cell: where they are sent, and which of them wait."""


@openlineage.command()
@cell_option
@json_option
def status(cell: str, as_json: bool) -> ExitCode:
    """Show where a cell's events are sent, which of them wait, and why. Asks no collector.

    Exit codes: 0 nothing waits, 1 something does.

    \b
    Examples:
      headwater openlineage status --cell us
      headwater openlineage status --cell us --json
    """
    from pipeline.cells import load_cell
    from pipeline.lineage.queue.status import queue_status

    found = queue_status(load_cell(load_settings().home, cell))
    if as_json:
        click.echo(json.dumps(asdict(found), default=str))
    else:
        _show(found)
    return ExitCode.CHECK_FAILED if found.events else ExitCode.OK


@openlineage.command()
@cell_option
@json_option
def drain(cell: str, as_json: bool) -> ExitCode:
    """Send what waits now, also to a collector that did not take it a moment ago.

    What cannot be sent stays. Exit codes: 0 all is sent, 3 the collector refuses the cell, 4 try again.

    \b
    Examples:
      headwater openlineage drain --cell us
      headwater openlineage drain --cell us --json
    """
    from pipeline.cells import load_cell
    from pipeline.lineage.queue.drain import drain as send_all

    where = load_cell(load_settings().home, cell)
    with progress("sending events", quiet=as_json):
        done = send_all(where)
    counts = {"sent": done.sent, "refused": done.refused, "dropped": done.dropped}
    if as_json:
        error = None if done.error is None else str(done.error)
        click.echo(json.dumps({**counts, "error": error, "busy": done.busy}))
    else:
        click.echo(
            f"sent {done.sent:,} events; {done.refused:,} refused for good, {done.dropped:,} dropped"
        )
        if done.busy:
            click.echo("another process is sending")
        if done.error is not None:
            click.echo(f"error: {done.error}", err=True)
    if done.error is not None:
        return done.error.exit_code
    return ExitCode.RETRYABLE if done.busy else ExitCode.OK


def _show(found: QueueStatus) -> None:
    tally = found.tally
    click.echo(f"events go to files{'' if found.address is None else f', and to {found.address}'}")
    if found.address is None and not found.events:
        return
    since = f", the oldest since {found.oldest:%Y-%m-%d %H:%M:%S} UTC" if found.oldest else ""
    click.echo(f"waiting: {found.events:,} events, {found.bytes:,} bytes{since}")
    click.echo(
        f"so far: {tally.sent:,} sent, {tally.refused:,} refused for good, {tally.dropped:,} dropped"
    )
    if tally.error is not None:
        click.echo(f"last try at {tally.failed_at}: {tally.error}")
