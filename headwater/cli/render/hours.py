"""What `headwater hours` prints: hours as they are, and what a build would do."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import datetime

import click

from headwater.cli.render.tables import print_table
from pipeline.batch.explain import explain, explain_logic, explain_query
from pipeline.batch.planning.plan import HourBuild, HoursPlan
from pipeline.batch.planning.range_logic import HourByHour, Ranged, RangeLogic, Sequential
from pipeline.batch.planning.ranges import RangesPlan
from pipeline.batch.planning.settle import HoursLook
from pipeline.batch.sql.custom import CustomQuery
from pipeline.contract.model import Product, published_table
from pipeline.control.publications import Publication, latest
from pipeline.hours.first import first_hour, too_early
from pipeline.hours.states import HourState, HourStates

HOUR = "%Y-%m-%dT%H"
Published = dict[tuple[str, datetime], Publication]
"""Table and hour -> the publication that readers have."""


def print_hours(product: Product, look: HoursLook, last: int | None, *, as_json: bool) -> None:
    """Print the newest `last` of the hours that were looked at, None for all."""
    published = latest(
        one for one in look.publications if look.since is None or one.hour >= look.since
    )
    states = replace(look.states, hours=look.hours[-last:] if last else look.hours)
    looked_at = replace(look.states, hours=look.hours)
    if as_json:
        click.echo(json.dumps(_document(product, states, published, looked_at)))
        return
    _show(product, states, published)
    older = len(look.hours) - len(states.hours)
    if older or look.since is not None:
        settled = "" if look.since is None else f"; those before {look.since:{HOUR}} are settled"
        click.echo(
            f"older hours are listed by --last {len(look.hours) if older else '1000'}{settled}"
        )
    for line in _of_other_versions(product, published):
        click.echo(line)
    if early := _early(product, looked_at, published):
        click.echo(f"warning: {early}")


def print_plan(plan: HoursPlan, ranges: RangesPlan | None, *, as_json: bool) -> None:
    """Print what would be built; `ranges` are the plan's, None if it has nothing to build."""
    if as_json:
        document = {
            "product": plan.product,
            "cell": plan.cell,
            "source_snapshot_id": plan.source_snapshot_id,
            "builds": [document_of(build) | {"stages": _stages(build)} for build in plan.builds],
            **_ranges(ranges),
        }
        click.echo(json.dumps(document, default=iso))
        return
    for line in explain(plan, ranges):
        click.echo(line)


def document_of(build: HourBuild) -> dict[str, object]:
    """Return one planned hour for a JSON document.

    `why` is its reason; `aggregate` says once more which derived table it is.
    """
    return {
        "derived_table": build.derived_table,
        "hour": build.hour,
        "rows": build.rows,
        "published": build.published,
        "why": build.reason,
        "aggregate": build.derived_table,
    }


def _ranges(ranges: RangesPlan | None) -> dict[str, object]:
    if ranges is None:
        return {"ranges": [], "logic": {}, "queries": {}, "bounds": None}
    return {
        "ranges": [
            {"derived_table": one.derived_table, "hours": one.hours} for one in ranges.ranges
        ],
        "logic": {name: _logic(logic) for name, logic in ranges.logic.items()},
        "queries": {
            name: [_query(query) for query in queries] for name, queries in ranges.queries.items()
        },
        "bounds": asdict(ranges.bounds),
    }


def _logic(logic: RangeLogic) -> dict[str, object]:
    computed = {Ranged: "by range", HourByHour: "hour by hour", Sequential: "one after the other"}
    return {"computed": computed[type(logic)], "why": explain_logic(logic)}


def _query(query: CustomQuery) -> dict[str, object]:
    asked = "hour by hour" if query.of_range is None else "by range"
    return {"query": query.name, "asked": asked, "why": explain_query(query)}


def _stages(build: HourBuild) -> list[dict[str, object]]:
    return [{"stage": stage.kind, **asdict(stage)} for stage in build.stages]


def _document(
    product: Product, states: HourStates, published: Published, looked_at: HourStates
) -> dict[str, object]:
    return {
        "product": states.product,
        "cell": states.cell,
        "snapshot_id": states.snapshot_id,
        "looked_at": states.looked_at.isoformat(),
        "first_hour": first_hour(product).isoformat(),
        "warning": _early(product, looked_at, published),
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
                    derived_table.name: _published(
                        published.get((published_table(product, derived_table), state.hour))
                    )
                    for derived_table in product.derived_tables
                },
            }
            for state in states.hours
        ],
    }


def _early(product: Product, states: HourStates, published: Published) -> str | None:
    """Return what is to be said of hours that no sensor will build."""
    tables = [published_table(product, one) for one in product.derived_tables]
    return too_early(
        product,
        {
            state.hour
            for state in states.hours
            if state.rows and any((table, state.hour) not in published for table in tables)
        },
    )


def _of_other_versions(product: Product, published: Published) -> Iterator[str]:
    """Yield how many of these hours of each table were built under other versions of its contract."""
    for derived_table in product.derived_tables:
        table = published_table(product, derived_table)
        versions = Counter(
            one.contract_version
            for (name, _), one in published.items()
            if name == table and one.contract_version != derived_table.version
        )
        for version, count in sorted(versions.items()):
            yield (
                f"{derived_table.name}: {count:,} hours were built under version {version} of its contract, "
                f"which is {derived_table.version} now (`hours build --again` builds them anew)"
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
    published: Published,
) -> None:
    columns = ["hour (UTC)", "rows#", "fenced at", "state"]
    for derived_table in product.derived_tables:
        columns += [derived_table.name, "source snapshot#"]
    rows = []
    for state in states.hours:
        cells: list[str] = []
        for derived_table in product.derived_tables:
            found = published.get((published_table(product, derived_table), state.hour))
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


def _state(state: HourState) -> str:
    if state.closed:
        return "closed"
    return "open" if state.fence is None else "waits for ingest"


def iso(value: object) -> str:
    """Return what JSON lacks as text: times in ISO 8601."""
    return value.isoformat() if isinstance(value, datetime) else str(value)
