"""`headwater dead-letters`: records that could not become rows, and what became of them."""

from __future__ import annotations

import click

from headwater.cli.dead_letters.feed import feed


@click.group(name="dead-letters")
def dead_letters() -> None:
    """Records that could not become rows, and what became of them."""


for command in (feed,):
    dead_letters.add_command(command)
