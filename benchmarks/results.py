"""Results: JSON documents under a schema, and the machine that they were measured on."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jsonschema
import psutil

from pipeline.files import write_atomically

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results"
SCHEMAS = FOLDER / "schema"
IMAGES = FOLDER.parent / "docs" / "images"
PAGES = FOLDER.parent / "docs" / "benchmarks"
PARTS = ("confluent-kafka", "duckdb", "kafka-python", "numba", "polars", "pyarrow", "pyiceberg")


def check(document: Mapping[str, Any], schema: str) -> None:
    """Hold `document` against `benchmarks/schema/<schema>.schema.json`.

    Raises:
        jsonschema.ValidationError: it is not as the schema says.
    """
    wanted = json.loads((SCHEMAS / f"{schema}.schema.json").read_text())
    jsonschema.validate(document, wanted, cls=jsonschema.Draft202012Validator)


def write(document: Mapping[str, Any], schema: str, path: Path) -> None:
    """Write `document` to `path`, atomically, if it is as its schema says.

    Raises:
        jsonschema.ValidationError: it is not; nothing is written.
    """
    check(document, schema)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps(document, indent=1) + "\n")


def publish(
    document: Mapping[str, Any], name: str, out: Path | None, page: str, plot: str | None = None
) -> None:
    """Write the benchmark's result, its docs page and its plot: to `out`, or where the project has them.

    Raises:
        jsonschema.ValidationError: the result is not as its schema says; nothing is written.
    """
    write(document, name, (out or RESULTS) / f"{name}.json")
    title = name.replace("_", "-")
    texts = {(out or PAGES) / f"{title}.md": page}
    if plot is not None:
        texts[(out or IMAGES) / f"bench-{title}.svg"] = plot
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def circumstances() -> dict[str, Any]:
    """Return when, on what and with which versions this is measured; nothing that names a machine."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "system": f"{platform.system()} {platform.release()}",
            "processor": _processor(),
            "cores": os.cpu_count() or 1,
            "memory_mb": psutil.virtual_memory().total // 1_048_576,
        },
        "versions": {"python": platform.python_version()} | {part: version(part) for part in PARTS},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
