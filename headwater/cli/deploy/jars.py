"""`headwater jars`: fetching what Spark needs, before anything runs."""

from __future__ import annotations

import click

from pipeline.errors import ExitCode
from pipeline.settings import load_settings


@click.command()
@click.option("--cell", "cells", multiple=True, default=("us",), show_default=True)
@click.option("--all", "is_all", is_flag=True, help="What any cell may need, as for an image.")
def jars(cells: tuple[str, ...], is_all: bool) -> ExitCode:
    """Fetch the jars that the Spark of cells needs, and check them against pinned hashes.

    They lie in the cache (HEADWATER_CACHE, default ~/.cache/headwater). What is there and whole is left
    alone, so that a machine without a network needs the folder alone. Exit codes: 0 all are there, 3 one
    is not the pinned one, 4 try again.

    \b
    Examples:
      headwater jars --cell us
      headwater jars --all
    """
    from headwater.stack.jars import ensure_jars, sets_of_cells
    from pipeline.jars import BROKER, lock_sets

    settings = load_settings()
    every = [name for name in lock_sets() if name != BROKER]
    for name in every if is_all else sets_of_cells(settings.home, cells):
        found = ensure_jars(settings.cache, name, lambda line: click.echo(line, err=True))
        click.echo(f"{name}: {len(found)} jars in {settings.cache}")
    return ExitCode.OK
