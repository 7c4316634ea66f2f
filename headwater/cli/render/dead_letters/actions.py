"""What `headwater dead-letters actions` prints."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

import click

from headwater.cli.render.dead_letters.listing import TIME
from headwater.cli.render.tables import print_table
from headwater.cli.render.values import plain, printable
from pipeline.dead_letters.store import Action

COLUMNS = (
    "when (UTC)",
    "action",
    "id",
    "by",
    "selected#",
    "chosen#",
    "selection",
    "outcome",
    "why",
)


def print_actions(actions: Sequence[Action], *, as_json: bool) -> None:
    """Print the audit, a line a row of it."""
    if as_json:
        documents = [plain(asdict(one)) for one in actions]
        for one in documents:
            one["selection"] = json.loads(one["selection"])
            one["outcome"] = json.loads(one["outcome"])
        click.echo(json.dumps(documents))
        return
    if not actions:
        click.echo("nothing was done with dead letters")
        return
    print_table("", COLUMNS, map(_line, actions))


def _line(one: Action) -> tuple[str, ...]:
    return (
        f"{one.at:{TIME}}",
        one.action if one.action == "reveal" else f"{one.action} {one.step}",
        one.action_id,
        printable(one.by),
        f"{one.selected:,}",
        f"{one.chosen:,}",
        _words(one.selection),
        _words(one.outcome),
        printable(one.reason),
    )


def _words(document: str) -> str:
    return ", ".join(f"{name}={value}" for name, value in json.loads(document).items())
