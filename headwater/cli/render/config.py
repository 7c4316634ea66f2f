"""What `headwater config` prints."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

import click

from headwater.cli.config.listing import Setting
from headwater.cli.render.tables import print_table
from pipeline.config.layer import Fault


def print_settings(settings: Sequence[Setting], *, as_json: bool) -> None:
    """Print settings, a line each."""
    if as_json:
        listed = [
            {"name": one.name, "value": one.value, "from": one.origin, "where": one.where or None}
            for one in settings
        ]
        click.echo(json.dumps({"settings": listed}, indent=2))
        return
    rows = [(one.name, one.value or "", str(one.origin)) for one in settings]
    print_table("", ["setting", "value", "from"], rows)


def print_faults(faults: Sequence[Fault], *, as_json: bool) -> None:
    """Print what is wrong, a line each, and how many there are."""
    grave = [fault for fault in faults if not fault.harmless]
    if as_json:
        document = {"ok": not grave, "faults": [asdict(fault) for fault in faults]}
        click.echo(json.dumps(document, indent=2))
        return
    for fault in faults:
        click.echo(f"{'warn ' if fault.harmless else 'wrong'} {fault}")
    click.echo(f"{len(grave)} faults")
