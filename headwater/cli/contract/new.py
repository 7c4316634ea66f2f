"""`headwater contract new`: a contract drafted from what there is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from headwater.cli.options import json_option
from pipeline.errors import ExitCode
from pipeline.settings import all_settings, load_settings

if TYPE_CHECKING:
    from headwater.draft.sources import Seen


@click.command()
@click.argument("name")
@click.option("--from-topic", "topic", metavar="TOPIC", help="The newest records of a topic.")
@click.option(
    "--from-registry", "subject", metavar="SUBJECT", help="The newest schema of a subject."
)
@click.option(
    "--from-sample", "sample", metavar="FILE", help="Rows of a JSONL, CSV or Parquet file."
)
@click.option(
    "--cell", help="The cell, e.g. us.  [default: the only one that there is, or else us]"
)
@click.option("--explain", is_flag=True, help="Print the contract, and write nothing.")
@json_option
def new(
    name: str,
    topic: str | None,
    subject: str | None,
    sample: str | None,
    cell: str | None,
    explain: bool,
    as_json: bool,
) -> ExitCode:
    """Draft the contract NAME from a topic, a registry's subject or a file; it passes `contract check`.

    Key, event time and uuid, personal data and rules are proposed by what was seen; every line that a person
    has to decide is marked `guess`. What has no type that a table could hold is left out, and named. Topics
    hold JSON objects, or Avro or Protobuf of the cell's registry; reading one commits nothing.

    \b
    Examples:
      headwater contract new orders --from-topic shop.orders
      headwater contract new orders --from-registry shop.orders-value --cell us
      headwater contract new orders --from-sample orders.jsonl --explain
    """
    from headwater.draft.plan import plan_draft, write_draft

    if sum(one is not None for one in (topic, subject, sample)) != 1:
        raise click.UsageError("Name one of --from-topic, --from-registry and --from-sample.")
    if not name.isidentifier() or name != name.lower():
        raise click.UsageError("NAME has small letters, digits and _, and begins with a letter.")
    cell = cell or next(iter(all_settings().cells), "us")
    draft = plan_draft(name, cell, _see(cell, topic, subject, sample))
    if explain and not as_json:
        for path, text in draft.files.items():
            click.echo(f"# {name}/{path}\n{text}")
        return ExitCode.OK
    folder = (
        load_settings().contracts / name
        if explain
        else write_draft(load_settings().contracts, draft)
    )
    if as_json:
        chosen = draft.choices
        document = {
            "folder": str(folder),
            "files": dict(draft.files),
            "key": chosen.key,
            "event_time": chosen.event_time,
            "uuid": chosen.uuid,
            "personal": dict(chosen.personal),
            "left_out": dict(draft.left_out),
        }
        click.echo(json.dumps(document, indent=2))
        return ExitCode.OK
    guesses = draft.files["contract.yaml"].count("# guess")
    click.echo(
        f"drafted {folder}: key {draft.choices.key}, event time {draft.choices.event_time}, "
        f"uuid {draft.choices.uuid or 'none'}"
    )
    for path, why in draft.left_out.items():
        click.echo(f"left out {path}: {why}")
    click.echo(f"{guesses} lines are guesses: decide them, then headwater contract check {name}")
    return ExitCode.OK


def _see(cell: str, topic: str | None, subject: str | None, sample: str | None) -> Seen:
    from headwater.draft.sources import see_file, see_subject, see_topic
    from pipeline.cells import load_cell

    if sample is not None:
        return see_file(sample)
    where = load_cell(load_settings().home, cell)
    return see_topic(where, topic) if topic is not None else see_subject(where, subject or "")
