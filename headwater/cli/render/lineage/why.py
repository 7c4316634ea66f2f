"""What `headwater why` prints."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import click

from headwater.cli.render.hours import iso
from headwater.cli.render.tables import print_table
from headwater.cli.render.values import in_a_line, plain
from pipeline.control.publications import Publication
from pipeline.impact.cause_model import Cause, KeyRows

HOUR, TIME = "%Y-%m-%dT%H", "%Y-%m-%d %H:%M:%S"
LISTED = 48
"""So many lines of each kind are printed for people."""


def print_cause(cause: Cause, *, as_json: bool) -> None:
    """Print what an hour was made from, and what changed between its last two builds."""
    if as_json:
        click.echo(json.dumps(_document(cause), default=iso))
        return
    click.echo(f"{cause.table} {cause.hour:{HOUR}} of {cause.product} in {cause.cell}")
    for name, what in _facts(cause):
        click.echo(f"  {name:<10} {what}")
    for title, columns, rows in _tables(cause):
        if rows:
            print_table(title, columns, rows[:LISTED])
        if len(rows) > LISTED:
            click.echo(f"and {len(rows) - LISTED:,} more; --json lists all")
    if cause.rows is not None:
        _print_rows(cause.rows)
    click.echo(_summary(cause))


def _facts(cause: Cause) -> Iterator[tuple[str, str]]:
    build = cause.build
    yield "published", f"{build.published_at:{TIME}}, {build.rows:,} rows, in {cause.identifier}"
    yield "build", f"{build.wap_id}, by run {build.run_id}"
    yield "snapshot", str(build.published_snapshot_id or "none: it has no rows")
    yield "contract", f"version {build.contract_version}"
    yield "audit", f"{build.expectations:,} expectations met"
    rows = "" if build.source_rows is None else f", {build.source_rows:,} rows of it"
    yield "made from", f"snapshot {build.source_snapshot_id} of events{rows}"
    for alert in cause.alerts:
        yield "alert", f"{alert.at:{TIME}} {alert.kind}: {alert.detail}"


def _tables(cause: Cause) -> Iterator[tuple[str, list[str], list[Sequence[str]]]]:
    yield (
        "rows of events",
        ["commit", "committed at", "run", "partition#", "offsets#", "rows#", "it is"],
        [
            (
                str(one.commit.snapshot_id) if one.commit else "none",
                f"{one.commit.committed_at:{TIME}}" if one.commit else "",
                (one.commit.run_id or "") if one.commit else "",
                str(one.partition),
                f"{one.first}..{one.last + 1}",
                f"{one.rows:,}",
                one.came.value,
            )
            for one in cause.fed
        ],
    )
    proven = (
        ""
        if cause.inputs_proven
        else " (as they were published by then; its fingerprint is another)"
    )
    yield (
        f"hours of derived tables{proven}",
        ["table", "hour (UTC)", "rows#", "build", "published at", "since the build before"],
        [
            (
                one.table,
                f"{one.hour:{HOUR}}",
                f"{one.now.rows:,}" if one.now else "",
                one.now.wap_id if one.now else "not published",
                f"{one.now.published_at:{TIME}}" if one.now else "",
                "" if cause.before is None else "other rows" if one.is_other else "the same",
            )
            for one in cause.inputs
        ],
    )
    yield (
        "since the build before",
        ["what", "before", "now"],
        [
            (one.field.replace("_", " "), _shown(one.before), _shown(one.now))
            for one in cause.changes
        ],
    )
    yield (
        "earlier builds",
        ["published at", "build", "run", "rows#", "rows of events#", "contract", "snapshot"],
        [_earlier(one) for one in cause.earlier],
    )


def _earlier(one: Publication) -> Sequence[str]:
    return (
        f"{one.published_at:{TIME}}",
        one.wap_id,
        one.run_id,
        f"{one.rows:,}",
        "" if one.source_rows is None else f"{one.source_rows:,}",
        one.contract_version,
        str(one.published_snapshot_id or ""),
    )


def _shown(value: object) -> str:
    return f"{value:{TIME}}" if isinstance(value, datetime) else in_a_line(value)


def _print_rows(rows: KeyRows) -> None:
    named = ", ".join(f"{column}={value}" for column, value in rows.key.items())
    if rows.before is None:
        click.echo(f"rows of {named}; those of a build before cannot be read")
    width = max(len(rows.now), len(rows.before or ()))
    for place in range(width):
        now, before = _at(rows.now, place), _at(rows.before or (), place)
        print_table(
            f"{named}, row {place + 1} of {width}",
            ["column", "before", "now", ""],
            [
                (
                    name,
                    in_a_line(before.get(name)),
                    in_a_line(now.get(name)),
                    "" if rows.before is None or before.get(name) == now.get(name) else "changed",
                )
                for name in (now or before)
            ],
        )
    if not width:
        click.echo(f"no row of {named}")


def _at(rows: Sequence[Mapping[str, Any]], place: int) -> Mapping[str, Any]:
    return rows[place] if place < len(rows) else {}


def _summary(cause: Cause) -> str:
    if cause.before is None:
        return "it was built once"
    changed = {
        True: "its rows are others than before",
        False: "its rows are as they were",
        None: "nothing tells whether its rows changed",
    }[cause.values_changed]
    reasons = "; ".join(cause.reasons) or "nothing that it is made from was another"
    return f"built {len(cause.earlier) + 1:,} times; {changed}: {reasons}"


def _document(cause: Cause) -> dict[str, Any]:
    return {
        "product": cause.product,
        "cell": cause.cell,
        "table": cause.table,
        "published_in": cause.identifier,
        "hour": cause.hour,
        "build": asdict(cause.build),
        "earlier": [asdict(one) for one in cause.earlier],
        "events": [{**asdict(one), "came": one.came.name.lower()} for one in cause.fed],
        "inputs": [asdict(one) for one in cause.inputs],
        "inputs_proven": cause.inputs_proven,
        "changes": [asdict(one) for one in cause.changes],
        "values_changed": cause.values_changed,
        "reasons": cause.reasons,
        "alerts": [asdict(one) for one in cause.alerts],
        "rows": None if cause.rows is None else _rows(cause.rows),
    }


def _rows(rows: KeyRows) -> dict[str, Any]:
    return {
        "key": dict(rows.key),
        "now": [plain(one) for one in rows.now],
        "before": None if rows.before is None else [plain(one) for one in rows.before],
    }
