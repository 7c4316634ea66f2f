"""`headwater dead-letters`: finding records that could not become rows, and what became of them."""

from __future__ import annotations

import click

from headwater.cli.dead_letters.actions import actions
from headwater.cli.dead_letters.count import count
from headwater.cli.dead_letters.discard import discard
from headwater.cli.dead_letters.feed import feed
from headwater.cli.dead_letters.list import list_letters
from headwater.cli.dead_letters.replay import replay
from headwater.cli.dead_letters.show import show


@click.group(name="dead-letters")
def dead_letters() -> None:
    """Records that could not become rows: find them, look at them, and what was done with them."""


for command in (list_letters, count, show, replay, discard, actions, feed):
    dead_letters.add_command(command)
