"""What `headwater hours build` prints: each hour as it is done."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from headwater.build import BuiltHour
from headwater.cli.render.hours import HOUR, document_of, iso


def print_built(each: BuiltHour) -> None:
    """Print what became of one hour of one table."""
    name = f"{each.build.hour:{HOUR}} {each.build.derived_table}"
    if each.publication is not None:
        click.echo(
            f"{name}: published {each.publication.rows:,} rows, "
            f"{each.publication.expectations} expectations met"
        )
    elif each.missing_input is not None:
        missing = each.missing_input
        click.echo(f"{name}: waits for {missing.hour:{HOUR}} of {missing.table}")
    elif each.error is not None:
        click.echo(f"{name}: {each.error}", err=True)
    else:
        click.echo(f"{name}: not published, its audit failed")
        for result in each.verdict.failed if each.verdict else ():
            about = f" of {result.column}" if result.column else ""
            click.echo(f"  {result.type}{about} ({result.expected}): {result.observed}")


def print_all(built: list[BuiltHour], *, as_json: bool) -> None:
    """Print what is to be said when all is done: everything as JSON, to people if there was nothing."""
    if as_json:
        click.echo(json.dumps([_document(each) for each in built], default=iso))
    elif not built:
        click.echo("no closed hour is waiting to be built")


def _document(each: BuiltHour) -> dict[str, object]:
    return {
        "build": document_of(each.build),
        "publication": each.publication and asdict(each.publication),
        "verdict": each.verdict and asdict(each.verdict),
        "waits": each.missing_input and asdict(each.missing_input),
        "error": each.error,
    }
