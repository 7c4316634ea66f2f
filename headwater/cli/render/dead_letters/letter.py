"""What `headwater dead-letters show` prints."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import click

from headwater.cli.render.dead_letters.document import document_of
from headwater.cli.render.values import in_a_line, printable
from pipeline.dead_letters.look.letter import Letter
from pipeline.dead_letters.look.masking import MASKED, Mask
from pipeline.dead_letters.opened import Opened


def print_letter(letter: Letter, opened: Opened, mask: Mask | None, *, as_json: bool) -> None:
    """Print all about one dead letter, without what `mask` hides."""
    told = document_of(letter, opened, mask)
    if as_json:
        click.echo(json.dumps(told))
        return
    for line in _lines(told):
        click.echo(printable(line))


def _lines(told: Mapping[str, Any]) -> Iterator[str]:
    topic = f"{told['topic']} ({told['topic_id']})"
    yield f"partition {told['partition']} offset {told['offset']} of topic {topic}"
    yield from _named(
        ("reason", f"{told['reason']}: {told['what']}"),
        ("detail", told["detail"]),
        ("usually", told["cause"]),
        ("helps", f"{told['help']}. {told['remedy']}"),
        ("record", told["record_time"]),
        ("ingested", f"{told['ingested_at']} by run {told['run_id']}"),
        ("ledger", _ledger(told)),
        ("came from", _origin(told)),
        ("fate", f"{told['fate']} (state of the event: {told['state']})"),
    )
    yield from (f"    {_step(one)}" for one in told["steps"])
    yield from _named(
        ("key", told["key"]),
        ("uuid", told["uuid"]),
        ("event time", told["event_time"]),
        ("schema id", told["schema_id"]),
    )
    headers = [(one["key"], one["value"]) for one in told["headers"]]
    far = "" if told["whole"] else ", as far as they can be read"
    yield from _section("headers", headers)
    yield from _section("envelope", told["envelope"].items())
    yield from _section(f"fields{far}", told["fields"].items())
    yield from _bytes(told)


def _named(*pairs: tuple[str, object]) -> Iterator[str]:
    return (f"  {name:<11} {value}" for name, value in pairs if value not in (None, ""))


def _section(title: str, pairs: Any) -> Iterator[str]:
    lines = [f"    {name}: {in_a_line(value)}" for name, value in pairs]
    return iter([f"  {title}", *lines] if lines else [])


def _ledger(told: Mapping[str, Any]) -> str:
    if told["snapshot_id"] is None:
        return "no entry that is kept counts its offset"
    return (
        f"counted in snapshot {told['snapshot_id']} of events, committed at {told['committed_at']}"
    )


def _origin(told: Mapping[str, Any]) -> str:
    if told["replay_id"] is None:
        return ""
    return f"{told['origin_partition']}/{told['origin_offset']}, by replay {told['replay_id']}"


def _step(one: Mapping[str, Any]) -> str:
    sent = f" to {one['partition']}/{one['offset']}: {one['found']}"
    told = f"{one['at']} {one['state']} by {one['action_id']}"
    return told if one["offset"] is None else told + sent


def _bytes(told: Mapping[str, Any]) -> Iterator[str]:
    if told["value_bytes"] is None:
        yield "  value       null"
        return
    at = told["broke_at"]
    where = "" if at is None else f", reading stopped at byte {at:,}"
    hidden = " (masked; --reveal REASON shows them)" if told["value"] == MASKED else ""
    yield f"  value       {told['value_bytes']:,} bytes{where}{hidden}"
    yield from _named(("why", told["why"]))
    yield from (f"    {line}" for line in told["dump"])
