"""`headwater config show` and `check`."""

from __future__ import annotations

import click

from headwater.cli.options import json_option
from pipeline.errors import ExitCode
from pipeline.settings import all_settings, load_settings, refuse


@click.group()
def config() -> None:
    """Settings: where each comes from, and what is wrong with them.

    The environment wins over headwater.toml (in HEADWATER_HOME, or named by HEADWATER_CONFIG), that over each
    cell's cell.json, that over defaults.
    """


@config.command()
@json_option
def show(as_json: bool) -> ExitCode:
    """Print every setting, of all cells: its value, and where it comes from. Secrets are masked.

    What clients do where a cell says nothing is theirs, and not listed.

    \b
    Examples:
      headwater config show
      headwater config show --json
    """
    from headwater.cli.config.listing import list_settings
    from headwater.cli.render.config import print_settings

    reading = all_settings()
    refuse(reading.grave)
    print_settings(list_settings(reading, load_settings()), as_json=as_json)
    return ExitCode.OK


@config.command()
@json_option
def check(as_json: bool) -> ExitCode:
    """Check the settings of all cells: all that is wrong, with its place and what to do. Exits 1 then.

    Unknown keys are told with the nearest that there is, also of Kafka's clients; a variable of the prefix
    HEADWATER_ that means nothing is a warning. Secrets are read, by commands too; no system is asked.

    \b
    Examples:
      headwater config check
      headwater config check --json
    """
    from headwater.cli.config.clients import client_faults, platform_faults
    from headwater.cli.config.listing import list_settings
    from headwater.cli.render.config import print_faults
    from pipeline.config.layer import Fault

    reading = all_settings()
    faults: list[Fault] = list(reading.faults)
    if not reading.grave:
        settings = load_settings()
        listed = {one.key: one for one in list_settings(reading, settings)}
        faults += platform_faults(settings.home, listed)
        for cell in reading.cells:
            faults += client_faults(settings.home, cell, listed)
    print_faults(faults, as_json=as_json)
    is_wrong = any(not fault.harmless for fault in faults)
    return ExitCode.CHECK_FAILED if is_wrong else ExitCode.OK
