"""`headwater init`: a project of one's own."""

from __future__ import annotations

import json
from pathlib import Path

import click

from headwater.cli.options import json_option
from pipeline.errors import ExitCode


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--no-example", is_flag=True, help="Leave out the example's contracts and its data.")
@click.option("--explain", is_flag=True, help="Show what would be written, and write nothing.")
@json_option
def init(folder: Path, no_example: bool, explain: bool, as_json: bool) -> ExitCode:
    """Make DIR a project: contracts, settings, what the Dagster UI shows, tests and CI.

    Files that are there stay as they are. A project is the nearest folder, at or above the working one, that
    has a headwater.toml; commands work from any folder of it.

    \b
    Examples:
      headwater init shop
      headwater init shop --explain
      headwater init . --no-example
    """
    from headwater.project.scaffold import make_project, plan_project

    plan = plan_project(folder, example=not no_example)
    if not explain:
        make_project(plan)
    if as_json:
        document = {
            "folder": str(folder.absolute()),
            "written" if not explain else "to_write": [str(one.path) for one in plan.files],
            "kept": [str(one) for one in plan.kept],
        }
        click.echo(json.dumps(document, indent=2))
        return ExitCode.OK
    for one in plan.files:
        click.echo(f"{'would write' if explain else 'wrote'} {folder / one.path}")
    for path in plan.kept:
        click.echo(f"kept {folder / path}, which was there")
    if not explain:
        click.echo(f"Next: cd {folder}, then headwater contract check, headwater up.")
    return ExitCode.OK
