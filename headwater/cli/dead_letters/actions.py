"""`headwater dead-letters actions`: what was done with dead letters, by whom and why."""

from __future__ import annotations

import click

from headwater.cli.options import cell_option, json_option, product_argument, resolve
from pipeline.errors import ExitCode


@click.command()
@product_argument
@cell_option
@json_option
def actions(product: str, cell: str, as_json: bool) -> ExitCode:
    """List what was done with PRODUCT's dead letters, by whom and why, the newest last.

    Two lines for each replay and each discard, as it began and as it ended, and one for each look at what is
    personal. Exit codes: 0 listed, also where nothing was done, 3 somebody must act, 4 try again.

    \b
    Examples:
      headwater dead-letters actions viewing_events --cell us
      headwater dead-letters actions viewing_events --cell us --json
    """
    from headwater.cli.render.dead_letters.actions import print_actions
    from pipeline.dead_letters.look.audit import read_actions

    loaded, where = resolve(product, cell)
    print_actions(read_actions(where, loaded), as_json=as_json)
    return ExitCode.OK
