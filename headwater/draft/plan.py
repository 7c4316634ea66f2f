"""A drafted contract: planned, and written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from headwater.draft.changes import (
    are_changes,
    choose_of_changes,
    infer_changes,
    is_change,
    unwrapped,
)
from headwater.draft.choose import Choices, choose
from headwater.draft.infer import Inferred, infer
from headwater.draft.render import PROTO_FILE, TopicFacts, contract_text, schema_text
from headwater.draft.sources import NothingToDraftError, Seen, lateness
from pipeline.avro.logical_types import logical_type
from pipeline.contract.folders import CONTRACT_FILE
from pipeline.errors import TerminalError
from pipeline.files import write_atomically
from pipeline.rows.times import instant


class ContractExistsError(TerminalError):
    """There is a contract of that name."""


@dataclass(frozen=True)
class Draft:
    """What is written of a contract: text by path in its folder; what was chosen, and left out."""

    name: str
    files: Mapping[str, str]
    choices: Choices
    left_out: Mapping[str, str]
    guesses: Mapping[str, str]


def plan_draft(name: str, cell: str, seen: Seen) -> Draft:
    """Return a contract `name` of what was seen.

    Raises:
        NothingToDraftError: no field could be its event time, or its key.
    """
    rows, of = unwrapped(seen.rows), name.title().replace("_", "")
    if seen.schema is not None:
        found = Inferred(dict(seen.schema), dict(seen.left_out), dict(seen.guesses))
    else:
        found = infer_changes(rows, of) if are_changes(rows) else infer(seen.rows, of)
    change = is_change(found.schema)
    choices = (
        choose_of_changes(found.schema, rows, seen.keys)
        if change
        else choose(found.schema, seen.rows, seen.keys)
    )
    for wanted, field in (("event time", choices.event_time), ("key", choices.key)):
        if field is None:
            names = ", ".join(one["name"] for one in found.schema["fields"]) or "none"
            raise NothingToDraftError(
                f"no field could be the {wanted}: it is never null and "
                f"{'a time' if wanted == 'event time' else 'a text or a whole number'}; there are {names}.",
                subject=seen.source,
                remedy="Have producers add one, or write the contract by hand.",
            )
    topic = replace(seen.topic or TopicFacts(name, "json"), debezium=change)
    if seen.times and not change and choices.event_time is not None:
        topic = replace(topic, late_s=_late(seen, found.schema, choices.event_time))
    files = {
        CONTRACT_FILE: contract_text(
            name,
            cell,
            seen.source,
            topic,
            found,
            choices,
            len(seen.rows),
            proto=seen.proto is not None,
        ),
        "schemas/payload.v1.avsc": schema_text(found.schema),
    }
    if seen.proto is not None:
        files[PROTO_FILE] = seen.proto
    return Draft(name, files, choices, found.left_out, found.guesses)


def write_draft(contracts: Path, draft: Draft) -> Path:
    """Write the contract into a folder of its name below `contracts`, and return that.

    Raises:
        ContractExistsError: there is a contract; nothing was written.
    """
    folder = contracts / draft.name
    if (folder / CONTRACT_FILE).exists():
        raise ContractExistsError(
            "there is a contract already.",
            subject=str(folder),
            remedy="Give the draft another name.",
        )
    for path, text in reversed([*draft.files.items()]):
        # The contract itself last: a folder is a product's once it has one.
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / path, text)
    return folder


def _late(seen: Seen, schema: Mapping[str, Any], event_time: str) -> int:
    types = {one["name"]: one["type"] for one in schema["fields"]}
    # Values of Avro are in microseconds, whatever their unit is on the way.
    per_second = (
        1_000
        if logical_type(types[event_time]) == "timestamp-millis" and seen.schema is None
        else 1_000_000
    )
    events = [instant(row[event_time], per_second) * 1_000 / per_second for row in seen.rows]
    return lateness(events, seen.times)
