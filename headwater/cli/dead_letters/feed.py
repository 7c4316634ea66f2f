"""`headwater dead-letters feed`: a product's topic of dead letters, brought up to their table."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from headwater.cli.options import (
    cell_option,
    json_option,
    product_argument,
    resolve,
    user_name,
)
from headwater.cli.progress import progress
from pipeline.errors import ExitCode


@click.command()
@product_argument
@cell_option
@json_option
def feed(product: str, cell: str, as_json: bool) -> ExitCode:
    """Feed PRODUCT's topic of dead letters once, as Dagster does every minute.

    The contract names the topic (`deadLetterTopic`); it is made where it is absent. New dead letters are
    sent, and a tombstone for each that has landed, was discarded or is another's duplicate. Run twice or
    killed, it does no harm.

    Exit codes: 0 done, 3 the contract names no topic, or Kafka refuses it, 4 try again.

    \b
    Examples:
      headwater dead-letters feed viewing_events --cell us
      headwater dead-letters feed viewing_events --cell us --json
    """
    from pipeline.dead_letters.topic.feed import feed_topic

    loaded, where = resolve(product, cell)
    with progress("feeding", quiet=as_json):
        done = feed_topic(where, loaded, by=user_name())
    if as_json:
        click.echo(json.dumps(asdict(done)))
    elif done.open is None:
        click.echo(f"topic {done.topic}: nothing has changed")
    else:
        click.echo(
            f"topic {done.topic}: {done.shown:,} dead letters sent, {done.withdrawn:,} tombstones; "
            f"{done.open:,} are open"
        )
    return ExitCode.OK
