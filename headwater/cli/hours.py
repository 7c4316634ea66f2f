"""`headwater hours`: which hours are closed and published, and building those that are due."""

from __future__ import annotations

import json
import os
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime

import click

from headwater.cli.options import cell_option, json_option, product_argument, resolve
from headwater.cli.tables import print_table
from pipeline.batch.model import Publication
from pipeline.batch.plan import HoursPlan
from pipeline.batch.prepare import prepare
from pipeline.batch.publications import latest, read_publications
from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.errors import ExitCode, TerminalError
from pipeline.hours.first import first_hour, too_early
from pipeline.hours.look import HourState, HourStates
from pipeline.hours.now import look_now
from pipeline.locks import batch_lock, hold
from pipeline.tables.layout import published_table

HOUR = "%Y-%m-%dT%H"


class HoursGroup(click.Group):
    """A group whose first word may also be a product: then it lists that product's hours."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that `args` name, `list` if they begin with none."""
        if args and self.get_command(ctx, args[0]) is None:
            args = ["list", *args]
        return super().resolve_command(ctx, args)


@click.group(cls=HoursGroup)
def hours() -> None:
    """Hours of event time: `headwater hours PRODUCT --cell us` lists them, `build` builds them."""


@hours.command(name="list")
@product_argument
@cell_option
@click.option(
    "--last",
    type=click.IntRange(min=1),
    default=48,
    show_default=True,
    help="List as many hours, the newest; JSON has all.",
)
@json_option
def list_hours(product: str, cell: str, last: int, as_json: bool) -> ExitCode:
    """List PRODUCT's hours: rows, fence, whether closed, and what is published of them.

    Looking places the fence of every hour that is due for one.

    \b
    Examples:
      headwater hours viewing_events --cell us
      headwater hours viewing_events --cell us --json
    """
    loaded, where = resolve(product, cell)
    states = look_now(where, loaded)
    published = latest(read_publications(where, loaded.name))
    if as_json:
        click.echo(json.dumps(_document(loaded, states, published)))
    else:
        _show(loaded, states, published, last)
        for line in _of_other_versions(loaded, published):
            click.echo(line)
        if early := _early(loaded, states, published):
            click.echo(f"warning: {early}")
    return ExitCode.OK


@hours.command()
@product_argument
@cell_option
@click.option(
    "--hour",
    "only",
    type=click.DateTime([HOUR]),
    multiple=True,
    help="Build this hour (UTC), e.g. 2026-01-01T05.",
)
@click.option("--all", "every", is_flag=True, help="Build every hour that is due (the default).")
@click.option("--again", is_flag=True, help="Build hours that are published already, too.")
@click.option("--explain", is_flag=True, help="Print what would be built, and end.")
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
    4 try again (an hour is still open, or somebody else is building).

    \b
    Examples:
      headwater hours build viewing_events --cell us
      headwater hours build viewing_events --cell us --hour 2026-01-01T05 --again
      headwater hours build viewing_events --cell us --explain
    """
    if only and every:
        raise click.UsageError("--hour and --all exclude each other")
    loaded, where = resolve(product, cell)
    chosen = [hour.replace(tzinfo=UTC) for hour in only] or None
    if explain:
        _print_plan(prepare(where, loaded, hours=chosen, again=again), as_json=as_json)
        return ExitCode.OK
    with hold(batch_lock(where, loaded.name), f"headwater hours build, pid {os.getpid()}"):
        plan = prepare(where, loaded, hours=chosen, again=again)
        return _build(where, loaded, plan, as_json=as_json)


def _build(where: Cell, loaded: Product, plan: HoursPlan, *, as_json: bool) -> ExitCode:
    # Great Expectations takes seconds to import: not before there is something to audit.
    from headwater.hours import Built, build_hours

    built: list[Built] = []
    for each in build_hours(where, loaded, plan, str(uuid.uuid4())):
        built.append(each)
        if as_json:
            continue
        name = f"{each.build.hour:{HOUR}} {each.build.aggregate}"
        if each.publication is not None:
            click.echo(
                f"{name}: published {each.publication.rows:,} rows, "
                f"{each.publication.expectations} expectations met"
            )
            continue
        if each.waits is not None:
            click.echo(f"{name}: waits for {each.waits.hour:{HOUR}} of {each.waits.table}")
            continue
        if each.error is not None:
            click.echo(f"{name}: {each.error}", err=True)
            continue
        click.echo(f"{name}: not published, its audit failed")
        for result in each.verdict.failed if each.verdict else ():
            about = f" of {result.column}" if result.column else ""
            click.echo(f"  {result.type}{about} ({result.expected}): {result.observed}")
    errors = [each.error for each in built if each.error is not None]
    waiting = sum(each.waits is not None for each in built)
    rejected = sum(each.publication is None for each in built) - waiting - len(errors)
    if as_json:
        click.echo(json.dumps([asdict(each) for each in built], default=_text))
    elif not built:
        click.echo("no closed hour is waiting to be built")
    if errors:
        # The first that somebody must see to, if there is one.
        raise next((one for one in errors if isinstance(one, TerminalError)), errors[0])
    if rejected:
        return ExitCode.CHECK_FAILED
    return ExitCode.RETRYABLE if waiting else ExitCode.OK


def _document(
    product: Product, states: HourStates, published: dict[tuple[str, datetime], Publication]
) -> dict[str, object]:
    return {
        "product": states.product,
        "cell": states.cell,
        "snapshot_id": states.snapshot_id,
        "looked_at": states.looked_at.isoformat(),
        "first_hour": first_hour(product).isoformat(),
        "warning": _early(product, states, published),
        "hours": [
            {
                "hour": state.hour.isoformat(),
                "rows": state.rows,
                "fenced_at": state.fence.taken_at.isoformat() if state.fence else None,
                "fence": {str(p): o for p, o in state.fence.watermarks.items()}
                if state.fence
                else None,
                "closed": state.closed,
                "published": {
                    aggregate.name: _published(
                        published.get((published_table(product, aggregate), state.hour))
                    )
                    for aggregate in product.aggregates
                },
            }
            for state in states.hours
        ],
    }


def _early(
    product: Product, states: HourStates, published: dict[tuple[str, datetime], Publication]
) -> str | None:
    """Return what is to be said of hours that no sensor will build."""
    tables = [published_table(product, one) for one in product.aggregates]
    return too_early(
        product,
        {
            state.hour
            for state in states.hours
            if state.rows and any((table, state.hour) not in published for table in tables)
        },
    )


def _of_other_versions(
    product: Product, published: dict[tuple[str, datetime], Publication]
) -> Iterator[str]:
    """Yield how many hours of each table were built under other versions of its contract."""
    for aggregate in product.aggregates:
        table = published_table(product, aggregate)
        versions = Counter(
            one.contract_version
            for (name, _), one in published.items()
            if name == table and one.contract_version != aggregate.version
        )
        for version, count in sorted(versions.items()):
            yield (
                f"{aggregate.name}: {count:,} hours were built under version {version} of its contract, "
                f"which is {aggregate.version} now (`hours build --again` builds them anew)"
            )


def _published(publication: Publication | None) -> dict[str, object] | None:
    if publication is None:
        return None
    return {
        "rows": publication.rows,
        "published_at": publication.published_at.isoformat(),
        "source_snapshot_id": publication.source_snapshot_id,
        "published_snapshot_id": publication.published_snapshot_id,
        "expectations": publication.expectations,
        "contract_version": publication.contract_version,
    }


def _show(
    product: Product,
    states: HourStates,
    published: dict[tuple[str, datetime], Publication],
    last: int,
) -> None:
    columns = ["hour (UTC)", "rows#", "fenced at", "state"]
    for aggregate in product.aggregates:
        columns += [aggregate.name, "source snapshot#"]
    rows = []
    for state in states.hours[-last:]:
        cells: list[str] = []
        for aggregate in product.aggregates:
            found = published.get((published_table(product, aggregate), state.hour))
            cells += [f"{found.rows:,} rows", str(found.source_snapshot_id)] if found else ["", ""]
        rows.append(
            (
                f"{state.hour:{HOUR}}",
                f"{state.rows:,}",
                f"{state.fence.taken_at:%Y-%m-%d %H:%M:%S}" if state.fence else "",
                _state(state),
                *cells,
            )
        )
    print_table(f"{states.product} in {states.cell}", columns, rows)
    hidden = len(states.hours) - last
    if hidden > 0:
        click.echo(f"and {hidden:,} older hours (--last {len(states.hours)} shows them)")


def _state(state: HourState) -> str:
    if state.closed:
        return "closed"
    return "open" if state.fence is None else "waits for ingest"


def _print_plan(plan: HoursPlan, *, as_json: bool) -> None:
    if as_json:
        document = {
            "product": plan.product,
            "cell": plan.cell,
            "source_snapshot_id": plan.source_snapshot_id,
            "builds": [asdict(build) for build in plan.builds],
        }
        click.echo(json.dumps(document, default=_text))
        return
    click.echo(f"from snapshot {plan.source_snapshot_id} of {plan.product}.events in {plan.cell}")
    for each in plan.builds:
        click.echo(f"  {each.hour:{HOUR}} {each.aggregate}: {each.rows:,} events, {each.why}")
    if not plan.builds:
        click.echo("  nothing to build")


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
