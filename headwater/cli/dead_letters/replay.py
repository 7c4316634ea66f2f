"""`headwater dead-letters replay`: records sent back to their topic, as they are or mended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from headwater.cli.dead_letters.filters import filters
from headwater.cli.options import cell_option, json_option, product_argument, resolve, user_name
from headwater.cli.progress import progress
from pipeline.errors import ExitCode

if TYPE_CHECKING:
    from pipeline.contract.model import Product
    from pipeline.dead_letters.fixes.fix import Fix
    from pipeline.dead_letters.selection import Selection


@click.command()
@product_argument
@cell_option
@filters
@click.option(
    "--fix",
    "mapping",
    metavar="FIELD=EXPRESSION",
    multiple=True,
    help="Set a field of the payload to a SQL expression over its fields; `_key` is the record's key.",
)
@click.option(
    "--fix-with",
    metavar="NAME",
    help="Mend by the function `fix` of fixes/NAME.py in the product's folder, which is run.",
)
@click.option(
    "--dry-run", is_flag=True, help="Tell which would pass now, which not and why; send nothing."
)
@click.option("--why", help="Why; kept for ever. Needed, but for --dry-run.")
@click.option("--by", default=user_name, help="Who does it.  [default: the user's name]")
@json_option
def replay(
    product: str,
    cell: str,
    selection: Selection,
    mapping: tuple[str, ...],
    fix_with: str | None,
    dry_run: bool,
    why: str | None,
    by: str,
    as_json: bool,
) -> ExitCode:
    """Send PRODUCT's open dead letters that the filters select back to their topic, if they pass now.

    What would fail again is left alone, and so is what arrives meanwhile. Each event lands exactly once,
    however often this is run, by whomever, and wherever it is killed; what a killed one has begun goes first.
    A fix changes neither uuid nor the hour of an event.

    Exit codes: 0 done, also where nothing passes, 1 with --dry-run some would not pass, 3 somebody must act,
    4 try again.

    \b
    Examples:
      headwater dead-letters replay viewing_events --cell us --reason stale --dry-run
      headwater dead-letters replay viewing_events --cell us --reason stale --why "INC-12: the link was slow"
      headwater dead-letters replay orders --cell us --schema-id 7 --fix "amount=coalesce(amount, 0)" \\
          --fix "meta.source='web'" --why "release 41 left amounts out"
      headwater dead-letters replay orders --cell us --producer web-41 --fix-with recount --dry-run --json
    """
    from headwater.cli.render.dead_letters.replay import print_plan, print_replayed

    if why is None and not dry_run:
        raise click.UsageError("--why is needed, or --dry-run.")
    loaded, where = resolve(product, cell)
    fix = _fix(loaded, mapping, fix_with)
    if dry_run:
        from pipeline.dead_letters.plan import plan_replay

        with progress("trying dead letters", quiet=as_json) as advance:
            plan = plan_replay(where, loaded, selection, fix, on_progress=advance)
        print_plan(plan, as_json=as_json)
        return ExitCode.OK if plan.chosen == plan.open else ExitCode.CHECK_FAILED
    from pipeline.dead_letters.replay import replay as replay_letters

    with progress("replaying dead letters", quiet=as_json) as advance:
        done = replay_letters(
            where,
            loaded,
            selection,
            by=by,
            reason=why or "",
            fix=fix,
            on_progress=lambda _, count: advance(count),
        )
    print_replayed(done, as_json=as_json)
    return ExitCode.OK


def _fix(product: Product, mapping: tuple[str, ...], fix_with: str | None) -> Fix | None:
    if mapping and fix_with:
        raise click.UsageError("--fix and --fix-with do not go together.")
    if fix_with:
        from pipeline.dead_letters.fixes.function import CallableFix

        return CallableFix.load(product, fix_with)
    if mapping:
        from pipeline.dead_letters.fixes.mapping import MappingFix

        return MappingFix.parse(mapping)
    return None
