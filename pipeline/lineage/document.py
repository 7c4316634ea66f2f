"""An OpenLineage event as the line of JSON that files and collectors are given."""

from __future__ import annotations

import json
from typing import Any

from openlineage.client.event_v2 import RunEvent
from openlineage.client.serde import Serde

from pipeline.lineage.facets.common import PRODUCER

ENDS = ("COMPLETE", "FAIL", "ABORT")
"""States that end a run."""


def to_line(event: RunEvent) -> str:
    """Return `event` as one line; each of its facets names Headwater as its producer."""
    document = Serde.to_dict(event)
    _stamp(document)
    return json.dumps(document, sort_keys=True)


def run_key(line: str) -> str:
    """Return what events of a run have in common with those of its parents, children and repetitions.

    It is the job of the outermost run, as OpenLineage's own transport to Kafka keys its records.
    """
    document = json.loads(line)
    parent = document["run"].get("facets", {}).get("parent", {})
    job = parent.get("root", parent).get("job") or document["job"]
    return f"run:{job['namespace']}/{job['name']}"


def _stamp(found: Any) -> None:
    """Set the producer of every facet inside: the library's default says that it is its own."""
    if isinstance(found, dict):
        if "_producer" in found:
            found["_producer"] = PRODUCER
        for inside in found.values():
            _stamp(inside)
    elif isinstance(found, list):
        for inside in found:
            _stamp(inside)
