"""`headwater upgrade`: a project, brought to the installed version."""

from __future__ import annotations

import json

import click

from headwater.cli.options import json_option
from pipeline.errors import ExitCode


@click.command()
@click.option("--explain", is_flag=True, help="Show what would change, with diffs; write nothing.")
@json_option
def upgrade(explain: bool, as_json: bool) -> ExitCode:
    """Bring the project to the installed version: what its template has otherwise than the one before.

    Files that you changed are never overwritten: where the template has changed, too, the newer one is
    written beside yours as FILE.new. Files that you deleted stay away; contracts are yours alone. Safe to
    repeat. Settings that this version does not know are told, too. Tables need no upgrade: every older format
    is read as it is.

    \b
    Examples:
      headwater upgrade --explain
      headwater upgrade
    """
    from importlib.metadata import version

    from headwater.project.upgrade import Change, current_template, plan_upgrade, upgrade_project
    from pipeline.config.project import find_project
    from pipeline.settings import all_settings
    from pipeline.tables.layout import FORMAT_VERSION

    folder = find_project()
    plan = plan_upgrade(folder, current_template(folder), version("headwater"))
    if not explain:
        upgrade_project(plan)
    unknown = [fault for fault in all_settings().faults if fault.what == "is no setting."]
    if as_json:
        document = {
            "folder": str(folder),
            "from": plan.was.version,
            "to": plan.manifest.version,
            "changes" if not explain else "would_change": [
                {"what": one.kind.value, "file": str(one.written), "diff": one.diff}
                for one in plan.changes
            ],
            "removed": [str(one) for one in plan.removed],
            "unknown_settings": [fault.key for fault in unknown],
            "table_format": FORMAT_VERSION,
        }
        click.echo(json.dumps(document, indent=2))
        return ExitCode.OK
    click.echo(f"{folder}: {plan.was.version or 'unknown'} -> {plan.manifest.version}")
    for one in plan.changes:
        click.echo(f"{'would ' if explain else ''}{one.kind} {one.written}")
        if explain:
            click.echo(one.diff, nl=False)
        elif one.kind is Change.BESIDE:
            click.echo(f"  {one.path} is yours: merge {one.written} into it, and remove that")
    for fault in unknown:
        click.echo(f"setting {fault.key} is none any more: headwater config check")
    click.echo(f"tables: format {FORMAT_VERSION}; every older one is read as it is")
    return ExitCode.OK
