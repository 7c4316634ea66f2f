"""What `headwater impact` prints."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import click

from headwater.cli.render.hours import iso
from headwater.cli.render.tables import print_table
from headwater.cli.render.values import printable
from pipeline.impact.model import HourReached, Impact, Standing
from pipeline.impact.selection import Selection

HOUR, TIME = "%Y-%m-%dT%H", "%Y-%m-%d %H:%M:%S"
COUNTED = ("rows", "duplicates", "dead letters")
LISTED = 48
"""So many lines of each kind are printed for people."""


def print_impact(impact: Impact, *, as_json: bool) -> None:
    """Print what holds the records, a table for each kind, and how much that is in a sentence."""
    if as_json:
        click.echo(json.dumps(_document(impact), default=iso))
        return
    click.echo(
        f"{impact.product} in {impact.cell}: {_named(impact.selection)} of topic {impact.topic}"
    )
    for title, columns, rows in _tables(impact):
        _print_some(title, columns, rows)
    click.echo(_summary(impact))


def _named(selection: Selection) -> str:
    given = {
        "partition": selection.partition,
        "offsets": None if selection.start is None else f"{selection.start}..{selection.end}",
        "snapshot": selection.snapshot_id,
        "run": selection.run_id,
        "producer": selection.producer,
        "schema version": selection.schema_version,
        "since": None if selection.since is None else f"{selection.since:{HOUR}}",
        "until": None if selection.until is None else f"{selection.until:{HOUR}}",
    }
    named = (f"{name} {printable(str(one))}" for name, one in given.items() if one is not None)
    return ", ".join(named)


def _tables(impact: Impact) -> Iterator[tuple[str, list[str], list[Sequence[str]]]]:
    yield (
        "commits of events",
        [
            "snapshot",
            "committed at",
            "run",
            "partition#",
            "offsets#",
            "rows#",
            "duplicates#",
            "dead letters#",
        ],
        [
            (
                str(one.snapshot_id),
                f"{one.committed_at:{TIME}}",
                one.run_id or "",
                str(entry.partition),
                f"{entry.start}..{entry.end}",
                *(f"{count:,}" for count in (entry.rows, entry.duplicates, entry.dead_letters)),
            )
            for one in impact.commits
            for entry in one.entries
        ],
    )
    of_hours: Counter[Any] = Counter()
    for held in impact.rows:
        of_hours[held.hour] += held.rows
    yield (
        "hours of events",
        ["hour (UTC)", "rows#"],
        [(f"{hour:{HOUR}}", f"{rows:,}") for hour, rows in sorted(of_hours.items())],
    )
    of_reasons: Counter[str] = Counter()
    for letter in impact.letters:
        of_reasons[letter.reason] += letter.letters
    yield (
        "dead letters",
        ["reason", "dead letters#"],
        [(reason, f"{count:,}") for reason, count in sorted(of_reasons.items())],
    )
    yield (
        "hours of derived tables",
        [
            "table",
            "hour (UTC)",
            "has it",
            "through",
            "build",
            "snapshot",
            "run",
            "published at",
            "rows#",
        ],
        [_reached(one) for one in impact.reached if one.builds],
    )
    yield (
        "rows of feature tables",
        ["table", "hour (UTC)", "rows#"],
        [(one.table, f"{one.hour:{HOUR}}", f"{one.rows:,}") for one in impact.served],
    )


def _reached(one: HourReached) -> Sequence[str]:
    last = one.last
    named = (one.table, f"{one.hour:{HOUR}}", one.standing.value, ", ".join(one.through))
    if last is None:
        return (*named, "", "", "", "", "")
    return (
        *named,
        last.wap_id,
        str(last.published_snapshot_id or ""),
        last.run_id,
        f"{last.published_at:{TIME}}",
        f"{last.rows:,}",
    )


def _print_some(title: str, columns: list[str], rows: list[Sequence[str]]) -> None:
    if not rows:
        return
    print_table(title, columns, rows[:LISTED])
    if len(rows) > LISTED:
        click.echo(f"and {len(rows) - LISTED:,} more; --json lists all")


def _summary(impact: Impact) -> str:
    hours = {one.hour for one in impact.rows}
    rows, letters = sum(one.rows for one in impact.rows), sum(one.letters for one in impact.letters)
    counts = Counter(one.standing for one in impact.reached)
    told = [
        f"{rows:,} rows in {_count(len(hours), 'hour')} of events and {_count(letters, 'dead letter')}, "
        f"of {_count(len(impact.commits), 'commit')}"
    ]
    said = {
        Standing.HOLDS: "hold all of it",
        Standing.PARTLY: "hold some, and are to be built again for the rest",
        Standing.NOT_YET: "were built before it, and are to be built again",
        Standing.UNCHANGED: "were built before it and are not changed by it",
        Standing.UNPUBLISHED: "are not published",
        Standing.UNKNOWN: "were built from a snapshot that nothing is kept of",
    }
    replayed = sum(one.rows for one in impact.rows if one.replayed)
    if replayed:
        told[0] += f" ({replayed:,} of the rows by replays of dead letters)"
    told += [f"{counts[standing]:,} {what}" for standing, what in said.items() if counts[standing]]
    return f"{told[0]}; hours of derived tables: {', '.join(told[1:]) or 'none'}"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _document(impact: Impact) -> dict[str, Any]:
    return {
        "product": impact.product,
        "cell": impact.cell,
        "topic": impact.topic,
        "selection": {
            name: one for name, one in asdict(impact.selection).items() if one is not None
        },
        "commits": [asdict(one) for one in impact.commits],
        "rows": [asdict(one) for one in impact.rows],
        "dead_letters": [asdict(one) for one in impact.letters],
        "derived_tables": [_hour(one) for one in impact.reached],
        "served": [asdict(one) for one in impact.served],
    }


def _hour(one: HourReached) -> dict[str, Any]:
    return {
        "table": one.table,
        "published_in": one.identifier,
        "hour": one.hour,
        "through": one.through,
        "source_rows": one.rows,
        "standing": one.standing.name.lower(),
        "builds": [
            {
                "holds": build.holds,
                "source_rows": build.rows,
                "build": build.publication.wap_id,
                "published_at": build.publication.published_at,
                "source_snapshot_id": build.publication.source_snapshot_id,
                "published_snapshot_id": build.publication.published_snapshot_id,
                "run_id": build.publication.run_id,
                "contract_version": build.publication.contract_version,
                "rows": build.publication.rows,
            }
            for build in one.builds
        ],
    }
