"""OpenLineage's own JSON schemas, and Headwater's, and what an event breaks of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

from pipeline.cells import Cell
from pipeline.lineage.files import lineage_folder
from pipeline.settings import PROJECT

OFFICIAL = PROJECT / "tests" / "data" / "openlineage"
OWN = PROJECT / "docs" / "reference" / "openlineage"
EVENT = "https://openlineage.io/spec/2-0-2/OpenLineage.json"


def lineage_of(cell: Cell) -> list[dict[str, Any]]:
    """Return all events of a cell's files, held to the schemas, in the order of their times."""
    files = [path.read_text() for path in lineage_folder(cell).glob("*.jsonl")]
    events: list[dict[str, Any]] = [
        json.loads(line) for text in files for line in text.splitlines()
    ]
    for event in events:
        check_event(event)
    return sorted(events, key=lambda event: str(event["eventTime"]))


def check_event(event: Mapping[str, Any]) -> None:
    """Hold an event, and each facet of it, to the schemas; that it names them right, too."""
    _hold(event, f"{EVENT}#/$defs/RunEvent")
    assert event["schemaURL"] == f"{EVENT}#/$defs/RunEvent"
    assert event["producer"] == "urn:headwater"
    for name, facet in facets_of(event):
        where, _, kind = facet["_schemaURL"].partition("#")
        document = _documents()[re.split(r"[/:]", where)[-1]]
        assert name in document["properties"], f"{name} is not what {kind} is called"
        assert facet["_producer"] == "urn:headwater"
        _hold(facet, f"{document['$id']}#{kind}")


def facets_of(event: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every facet of an event by its name."""
    datasets = [*event.get("inputs", []), *event.get("outputs", [])]
    for holder in (event["run"], event["job"], *datasets):
        for part in ("facets", "inputFacets", "outputFacets"):
            yield from holder.get(part, {}).items()


def _hold(value: object, reference: str) -> None:
    validator = Draft202012Validator(
        {"$ref": reference}, registry=_registry(), format_checker=FormatChecker()
    )
    validator.validate(value)


@cache
def _registry() -> Registry[Any]:
    found: Registry[Any] = Registry()
    for document in (
        *_documents().values(),
        json.loads((OFFICIAL / "OpenLineage.json").read_text()),
    ):
        found = found.with_resource(document["$id"], Resource.from_contents(document))
    return found


@cache
def _documents() -> Mapping[str, dict[str, Any]]:
    """Return the schemas of facets by the names of their files."""
    files: list[Path] = [*(OFFICIAL / "facets").glob("*.json"), *OWN.glob("*.json")]
    return {file.name: json.loads(file.read_text()) for file in files}
