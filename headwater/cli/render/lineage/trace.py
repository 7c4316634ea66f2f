"""What `headwater trace` prints."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime

import click

from headwater.cli.render.lineage.document import document_of
from headwater.cli.render.values import printable
from pipeline.trace.model import Build, Look, Milestone, Reached, Search, Seen, Trace

TIME = "%Y-%m-%d %H:%M:%S"
HOUR = "%Y-%m-%dT%H"
_FEW = 4
"""So many hours of a table are told one by one."""


def print_traces(uuid: str, traces: Sequence[Trace], *, as_json: bool) -> None:
    """Print what each of some products knows of an event; JSON is a list of them."""
    if as_json:
        click.echo(json.dumps([document_of(one) for one in traces]))
        return
    if not traces:
        click.echo(f"event {printable(uuid)}: no product was ever ingested in this cell")
    for trace in traces:
        for line in _lines(trace):
            click.echo(printable(line))


def _lines(trace: Trace) -> Iterator[str]:
    facts = trace.facts
    yield f"event {facts.uuid} of {facts.product} in {facts.cell}: {trace.summary}"
    for milestone in trace.milestones:
        yield from _milestone(milestone)
    for action in facts.actions:
        if action.step == "begun" or action.action == "discard":
            yield f"  {action.at:{TIME}}  {action.action} {action.action_id} by {action.by}: {action.reason}"
    for row in facts.rows:
        hours = facts.reached.get(row.place, ())
        if hours:
            yield f"  computed from row {row.place}, of hour {row.event_time:{HOUR}}"
            yield from _reached(hours)
    yield from _search(facts.search)


def _milestone(one: Milestone) -> Iterator[str]:
    yield f"  {_time(one.at)}  {one.state.value:<13} {one.what}"
    names = ("producer", "job_id", "traceparent")
    told = [f"{name} {one.evidence[name]}" for name in names if one.evidence.get(name)]
    if told:
        yield f"{'':39}{', '.join(told)}"


def _time(at: datetime | None) -> str:
    return f"{'':23}" if at is None else f"{at:{TIME}}.{at.microsecond // 1000:03}"


def _reached(hours: Sequence[Reached]) -> Iterator[str]:
    groups: dict[tuple[str, tuple[str, ...], bool], list[Reached]] = {}
    for one in hours:
        groups.setdefault((one.table, one.through, one.onward), []).append(one)
    for (table, through, onward), group in groups.items():
        kind = "feature table" if group[0].is_feature else "table"
        handed = ", by what earlier hours hand on" if onward else ""
        yield f"    {kind} {table}, through {', '.join(through)}{handed}"
        if len(group) <= _FEW:
            for one in group:
                yield from _hour(one)
        else:
            yield _hours(group)


def _hour(one: Reached) -> Iterator[str]:
    if not one.builds:
        yield f"      hour {one.hour:{HOUR}}: not published yet"
    for build in one.builds:
        yield f"      hour {one.hour:{HOUR}}: {_build(build)}"
    for alert in one.alerts:
        yield f"      hour {one.hour:{HOUR}}: its audit failed at {alert.at:{TIME}}, in run {alert.run_id}"


def _build(build: Build) -> str:
    made = build.publication
    snapshot = made.published_snapshot_id
    where = "without rows" if snapshot is None else f"snapshot {snapshot}"
    state = "" if build.is_current else ", built again since"
    return (
        f"{_holds(build.holds)}, published {made.published_at:{TIME}} by run {made.run_id} as {where}, "
        f"{made.rows:,} rows, {made.expectations:,} expectations met{state}"
    )


def _holds(holds: bool | None) -> str:
    if holds is None:
        return "perhaps with it (its source snapshot has expired)"
    return "with it" if holds else "without it"


def _hours(group: Sequence[Reached]) -> str:
    last = [build for one in group for build in one.builds if build.is_current]
    counts = {
        "with it": sum(build.holds is True for build in last),
        "without it": sum(build.holds is False for build in last),
        "perhaps with it": sum(build.holds is None for build in last),
        "not published": sum(not one.builds for one in group),
    }
    told = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
    return (
        f"      {len(group):,} hours from {group[0].hour:{HOUR}} to {group[-1].hour:{HOUR}}: {told}"
    )


def _search(search: Search) -> Iterator[str]:
    for copy in search.copies:
        if copy.commit is not None:
            commit = copy.commit
            counted = f"snapshot {commit.snapshot_id}, committed at {commit.committed_at:{TIME}}"
            yield (
                f"  {_time(copy.record_time)}  duplicate     record {copy.place}, dropped and counted by "
                f"{counted} ({copy.match.value})"
            )
    if search.trouble:
        yield f"  Kafka could not be asked for copies: {search.trouble}"
    elif search.looks:
        yield f"  looked for copies in Kafka: {_looks(search.looks)}"


def _looks(looks: Sequence[Look]) -> str:
    parts = []
    for seen in Seen:
        some = [one for one in looks if one.seen is seen]
        if some:
            offsets = sum(one.end - one.start for one in some)
            why = ", ".join(dict.fromkeys(one.why for one in some if one.why))
            parts.append(f"{offsets:,} offsets {seen.value}" + (f" ({why})" if why else ""))
    return ", ".join(parts)
