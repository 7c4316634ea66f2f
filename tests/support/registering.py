"""Processes that register schemas, all at the same time."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.schemas.registry import Registry
from pipeline.schemas.sqlite import SqliteRegistry

SUBJECTS = tuple(f"many-{number}" for number in range(10))


def register_twice(opener: Callable[[], Registry], ready: Any, answers: Any) -> None:
    """Put version and id of 20 schemas under each of two subjects into `answers`; all register the same."""
    registry = opener()
    ready.wait()
    found = {}
    for number in range(20):
        for subject in ("a-value", "b-value"):
            ref = registry.register(subject, _schema(0, number))
            found[subject, number] = (ref.version, ref.id)
    answers.put(found)


def register_over_http(url: str, worker: int, count: int, ready: Any, answers: Any) -> None:
    """Put the ids of `count` schemas, which nobody else has, under `SUBJECTS` at `url` into `answers`."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)
    connection.connect()
    ready.wait()
    found = []
    for number in range(count):
        sent = json.dumps({"schema": json.dumps(_schema(worker, number))})
        path = f"/subjects/{_subject(number)}/versions"
        connection.request("POST", path, sent, {"Content-Type": "application/json"})
        with connection.getresponse() as answer:
            found.append(json.load(answer)["id"])
    answers.put(found)


def register_in_file(database: Path, worker: int, count: int, ready: Any, answers: Any) -> None:
    """The same as the engine does it."""
    registry = SqliteRegistry(database)
    ready.wait()
    answers.put([registry.register(_subject(n), _schema(worker, n)).id for n in range(count)])


def _subject(number: int) -> str:
    return SUBJECTS[number % len(SUBJECTS)]


def _schema(worker: int, number: int) -> dict[str, Any]:
    own = {"name": f"n{worker}_{number}", "type": "int", "default": 0}
    return {"type": "record", "name": "Reading", "fields": [{"name": "value", "type": "int"}, own]}
