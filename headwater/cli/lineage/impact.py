"""`headwater impact`: what holds some records, in every table downstream."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from headwater.cli.dead_letters.filters import offsets as offsets_type
from headwater.cli.hours.hour import EXAMPLE
from headwater.cli.hours.hour import hour as hour_type
from headwater.cli.options import cell_option, json_option, resolve
from headwater.cli.progress import progress
from pipeline.config.nearest import meant
from pipeline.errors import ExitCode, TerminalError
from pipeline.settings import load_settings

if TYPE_CHECKING:
    from pipeline.cells import Cell
    from pipeline.contract.model import Product


class TopicUnknownError(TerminalError):
    """No contract is of that topic, or the product's is another."""


@click.command()
@click.argument("product", metavar="[PRODUCT]", required=False)
@cell_option
@click.option(
    "--topic", metavar="T", help="The product's topic; names the product where PRODUCT does not."
)
@click.option(
    "--partition", type=click.IntRange(min=0), metavar="P", help="Records of this partition."
)
@click.option(
    "--offsets",
    type=offsets_type,
    metavar="A..B",
    help="Of these offsets of --partition, B excluded.",
)
@click.option(
    "--snapshot", "snapshot_id", type=int, metavar="ID", help="That this commit of events brought."
)
@click.option("--run", "run_id", metavar="ID", help="That this run of an ingest committed.")
@click.option("--producer", metavar="NAME", help="Whose header `producer` says so.")
@click.option(
    "--schema-version",
    type=click.IntRange(min=0),
    metavar="N",
    help="Whose payload is of this version, as `_schema_version` of events has it.",
)
@click.option(
    "--schema-id",
    type=click.IntRange(min=1),
    metavar="N",
    help="Whose payload's schema has this id in the registry.",
)
@click.option(
    "--since",
    type=hour_type,
    metavar="HOUR",
    help=f"Of event time since then, e.g. {EXAMPLE} (UTC).",
)
@click.option("--until", type=hour_type, metavar="HOUR", help="Of event time before then.")
@json_option
def impact(
    product: str | None,
    cell: str,
    topic: str | None,
    partition: int | None,
    offsets: tuple[int, int] | None,
    snapshot_id: int | None,
    run_id: str | None,
    producer: str | None,
    schema_version: int | None,
    schema_id: int | None,
    since: datetime | None,
    until: datetime | None,
    as_json: bool,
) -> ExitCode:
    """Show what holds some records of PRODUCT: commits, hours of events, and all that is computed from these.

    Told are the commits that brought them, hours of events and dead letters, then of every derived table the
    hours that are computed from them, by way of other tables too: whether the last build had all of them,
    some, or was made before they came and will be built again, with its snapshot and run, and rows of
    feature tables. That an hour is computed from them does not say that a value in it is another for them.

    All that is given must hold. A producer or a schema is looked for in all of events, or in the
    hours from --since to --until; for the others only files are read that may have the records. Exit codes:
    0 told, 3 nothing is known of the snapshot, run or offsets, 4 try again.

    \b
    Examples:
      headwater impact viewing_events --cell us --partition 0 --offsets 1200..1500
      headwater impact --topic viewing-events --cell us --partition 0 --offsets 1200..1500 --json
      headwater impact viewing_events --cell us --snapshot 3051729675574597004
      headwater impact viewing_events --cell us --producer tv-app --schema-version 2
    """
    from headwater.cli.render.lineage.impact import print_impact
    from pipeline.impact.impact import read_impact
    from pipeline.impact.schema_version import version_of_id
    from pipeline.impact.selection import Selection
    from pipeline.schemas.open import open_registry

    if offsets is not None and partition is None:
        raise click.UsageError("--offsets needs --partition.")
    start, end = offsets or (None, None)
    named = (offsets, snapshot_id, run_id, producer, schema_version, schema_id)
    if all(one is None for one in named):
        raise click.UsageError(
            "Say which records: --offsets, --snapshot, --run, --producer, --schema-version or --schema-id."
        )
    if schema_id is not None and schema_version is not None:
        raise click.UsageError("--schema-id and --schema-version are of the same: give one.")
    if since is not None and until is not None and since >= until:
        raise click.UsageError("--since is not before --until.")
    loaded, where = _resolve(product, topic, cell)
    if schema_id is not None:
        schema_version = version_of_id(open_registry(where), loaded, schema_id)
    selection = Selection(
        partition, start, end, snapshot_id, run_id, producer, schema_version, since, until
    )
    with progress("looking for what holds it", quiet=as_json):
        found = read_impact(where, loaded, selection)
    print_impact(found, as_json=as_json)
    return ExitCode.OK


def _resolve(name: str | None, topic: str | None, cell: str) -> tuple[Product, Cell]:
    if name is None:
        if topic is None:
            raise click.UsageError("Name a PRODUCT, or its --topic.")
        name = _product_of(topic)
    loaded, where = resolve(name, cell)
    if topic is not None and topic != loaded.topic.name:
        raise TopicUnknownError(
            f"its topic is {loaded.topic.name}, not {topic}.",
            subject=f"product {name}",
            remedy="Leave --topic away, or PRODUCT.",
        )
    return loaded, where


def _product_of(topic: str) -> str:
    from pipeline.contract.load import load_products

    contracts = load_settings().contracts
    by_topic = {one.topic.name: one.name for one in load_products(contracts)}
    if topic not in by_topic:
        raise TopicUnknownError(
            "no contract is of it.",
            subject=f"topic {topic}",
            remedy=f"{meant(topic, by_topic)}Known are: {', '.join(sorted(by_topic)) or 'none'} "
            f"(in {contracts}).",
        )
    return by_topic[topic]
