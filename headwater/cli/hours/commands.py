"""`headwater hours`: which hours are closed and published, and building those that are due."""

from __future__ import annotations

import os
from datetime import datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING

import click

from headwater.cli.hours.hour import EXAMPLE
from headwater.cli.hours.hour import hour as hour_type
from headwater.cli.hours.preview import preview
from headwater.cli.options import cell_option, json_option, product_argument, resolve
from headwater.cli.progress import progress
from pipeline.errors import ExitCode, TerminalError
from pipeline.settings import load_settings

if TYPE_CHECKING:
    from pipeline.batch.planning.plan import HoursPlan
    from pipeline.cells import Cell
    from pipeline.contract.model import Product

LISTED = 48
"""So many hours are listed for people."""


class HoursGroup(click.Group):
    """A group whose first word may also be a product: then it lists that product's hours."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that `args` name, `list` where they begin with none, nor nearly so."""
        if not self.get_command(ctx, args[0]) and not self._is_misspelt(args[0]):
            args = ["list", *args]
        return super().resolve_command(ctx, args)

    def _is_misspelt(self, word: str) -> bool:
        is_product = (load_settings().contracts / word).is_dir()
        return not is_product and bool(get_close_matches(word, self.commands))


@click.group(cls=HoursGroup)
def hours() -> None:
    """Hours of event time: `headwater hours PRODUCT --cell us` lists them, `build` builds them."""


hours.add_command(preview)


@hours.command(name="list")
@product_argument
@cell_option
@click.option(
    "--last",
    type=click.IntRange(min=1),
    help="List as many hours, the newest; 48 by default, and with --json all.",
)
@json_option
def list_hours(product: str, cell: str, last: int | None, as_json: bool) -> ExitCode:
    """List PRODUCT's hours: rows, fence, whether closed, and what is published of them.

    Before the first commit there are none. Looking places the fence of every hour that is due for one. What
    it costs is bounded by the hours that are listed, and by those that are not settled.

    \b
    Examples:
      headwater hours viewing_events --cell us
      headwater hours viewing_events --cell us --json
    """
    from headwater.cli.render.hours import print_hours
    from pipeline.batch.planning.read_inputs import (
        look_at_all_hours,
        look_at_last_hours,
        nothing_to_look_at,
    )
    from pipeline.tables.catalog import TableMissingError

    loaded, where = resolve(product, cell)
    most = last or (None if as_json else LISTED)
    try:
        with progress("looking at hours", quiet=as_json):
            look = (
                look_at_last_hours(where, loaded, most)
                if most
                else look_at_all_hours(where, loaded)
            )
    except TableMissingError as error:
        click.echo(f"{error}", err=True)
        look = nothing_to_look_at(where, loaded)
    print_hours(loaded, look, most, as_json=as_json)
    return ExitCode.OK


@hours.command()
@product_argument
@cell_option
@click.option(
    "--hour",
    "only",
    type=hour_type,
    metavar="HOUR",
    multiple=True,
    help=f"Build this hour (UTC), e.g. {EXAMPLE}.",
)
@click.option("--all", "every", is_flag=True, help="Build every hour that is due (the default).")
@click.option("--again", is_flag=True, help="Build hours that are published already, too.")
@click.option(
    "--explain",
    is_flag=True,
    help="Print what would be built, which hours together, and why; then end.",
)
@json_option
def build(
    product: str,
    cell: str,
    only: tuple[datetime, ...],
    every: bool,
    again: bool,
    explain: bool,
    as_json: bool,
) -> ExitCode:
    """Build PRODUCT's hours that are closed and due: write, audit, publish.

    Due are hours that were never published, that late rows have reached (as the contract's `late`
    says), or whose inputs have changed; an hour whose inputs are not published waits.

    Refuses while the ledger does not balance. An hour whose audit fails is not published, and its
    staging stays for inspection. Exit codes: 0 built, 1 an audit failed, 3 somebody must act,
    4 try again (an hour is still open, and the others are built; or somebody else is building).

    \b
    Examples:
      headwater hours build viewing_events --cell us
      headwater hours build viewing_events --cell us --hour 2026-01-01T05 --again
      headwater hours build viewing_events --cell us --explain
    """
    if only and every:
        raise click.UsageError("--hour and --all exclude each other")
    from headwater.cli.render.hours import print_plan
    from pipeline.batch.planning.plan import plan_hours
    from pipeline.batch.planning.read_inputs import read_plan_inputs
    from pipeline.batch.planning.read_range import read_ranges
    from pipeline.supervision.locks import batch_lock, hold_lock

    loaded, where = resolve(product, cell)
    chosen = list(only) or None

    def plan() -> HoursPlan:
        inputs = read_plan_inputs(where, loaded, hours=chosen)
        return plan_hours(loaded, inputs, hours=chosen, again=again)

    if explain:
        planned = plan()
        ranges = read_ranges(where, loaded, planned) if planned.builds else None
        print_plan(planned, ranges, as_json=as_json)
        if planned.refusal is not None:
            raise planned.refusal
        return ExitCode.OK
    with hold_lock(batch_lock(where, loaded.name), f"headwater hours build, pid {os.getpid()}"):
        return _build(where, loaded, plan(), as_json=as_json)


def _build(where: Cell, loaded: Product, plan: HoursPlan, *, as_json: bool) -> ExitCode:
    # Spark and Great Expectations take seconds to import: only for who builds.
    from headwater.build import build_hours
    from headwater.cli.render.built import print_all, print_built

    built = []
    with progress("building hours of tables", len(plan.builds), quiet=as_json) as advance:
        for each in build_hours(where, loaded, plan):
            built.append(each)
            if not as_json:
                print_built(each)
            advance(1)
    print_all(built, as_json=as_json)
    ended_with = (*(each.error for each in built), plan.refusal)
    errors = [error for error in ended_with if error is not None]
    waiting = sum(each.missing_input is not None for each in built)
    rejected = sum(each.publication is None for each in built) - waiting - len(errors)
    if errors:
        # The first that somebody must see to, if there is one.
        raise next((one for one in errors if isinstance(one, TerminalError)), errors[0])
    if rejected:
        return ExitCode.CHECK_FAILED
    return ExitCode.RETRYABLE if waiting else ExitCode.OK
