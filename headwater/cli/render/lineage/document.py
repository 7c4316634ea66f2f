"""A trace as a JSON object."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from headwater.cli.render.values import plain
from pipeline.trace.model import Place, Trace


def document_of(trace: Trace) -> dict[str, Any]:
    """Return all that a trace tells. Where a record stands is an object of topic_id, partition and offset."""
    facts = trace.facts
    return {
        "uuid": facts.uuid,
        "product": facts.product,
        "cell": facts.cell,
        "looked_at": plain(facts.looked_at),
        "answer": trace.answer.value,
        "summary": trace.summary,
        "states": [_of(one) for one in trace.milestones],
        "rows": [
            {**_of(one), "reached": [_of(hour) for hour in facts.reached.get(one.place, ())]}
            for one in facts.rows
        ],
        "dead_letters": [
            {**_of(one), "state": one.fate.state.value, "match": one.match.name.lower()}
            for one in facts.letters
        ],
        "actions": [_of(one) for one in facts.actions],
        "copies": [{**_of(one), "match": one.match.name.lower()} for one in facts.search.copies],
        "looked": [{**_of(one), "seen": one.seen.name.lower()} for one in facts.search.looks],
        "trouble": facts.search.trouble or None,
    }


def _of(value: object) -> Any:
    if isinstance(value, Place):
        return {"topic_id": value.topic_id, "partition": value.partition, "offset": value.offset}
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: _of(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple | list):
        return [_of(one) for one in value]
    if isinstance(value, dict):
        return {str(name): _of(one) for name, one in value.items()}
    return plain(value)
