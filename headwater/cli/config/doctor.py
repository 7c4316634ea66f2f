"""`headwater doctor`: each connection of a cell is tried."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor

import click

from headwater.cli.options import json_option
from headwater.cli.progress import progress
from pipeline.errors import ExitCode


@click.command()
@click.option("--cell", help="The cell, e.g. us. All cells where it is left out.")
@json_option
def doctor(cell: str | None, as_json: bool) -> ExitCode:
    """Try each connection of a cell, and tell what is wrong and what to do. Within 10 seconds.

    Tried are the settings, Kafka and its login, topics and ACLs, the schema registry, the warehouse, the
    catalog, the state folder, Dagster's storage, the collector of lineage, Spark's Java and the clock, beside
    each other; what does not answer is told, too. Makes and changes nothing. Exit codes: 0 all is well,
    3 something stays wrong until somebody acts, 4 it may pass.

    \b
    Examples:
      headwater doctor
      headwater doctor --cell us --json
    """
    from headwater.cli.render.doctor import print_findings
    from headwater.doctor.checks import CHECKS
    from headwater.doctor.examine import examine
    from headwater.doctor.model import exit_code
    from pipeline.cells import CellNotFoundError
    from pipeline.settings import all_settings, load_settings

    settings = load_settings()
    cells = (cell,) if cell else all_settings().cells
    if not cells:
        raise CellNotFoundError(
            "no cell is configured.",
            subject=str(settings.home),
            remedy="Start one with `headwater up`, or write headwater.toml.",
        )
    with (
        progress("trying connections", quiet=as_json),
        ThreadPoolExecutor(len(cells)) as beside,
    ):
        found = dict(
            zip(cells, beside.map(lambda one: examine(settings, one, CHECKS), cells), strict=True)
        )
    print_findings(found, as_json=as_json)
    every = tuple(one for findings in found.values() for one in findings)
    code = exit_code(every)
    if any(one.unanswered for one in every):
        # What still waits inside a library may have threads that would be waited for, as long as it takes.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code
