"""Where the stack listens, and what Dagster loads, unless told otherwise."""

from __future__ import annotations

from pathlib import Path

from pipeline.settings import Settings

KAFKA_PORT = 19092
WEB_PORT = 3000
DATA_DOCS_PORT = 3300
SCHEMA_REGISTRY_PORT = 8081
CODE_SERVER_PORT = 4000
"""Of the first location that is served by itself; `headwater up` takes any that are free."""
WORKSPACE = Path(__file__).with_name("workspace.yaml")


def workspace_file(settings: Settings) -> Path:
    """Return the file of code locations: the project's, or else the one with the cell `us`."""
    own = settings.project / WORKSPACE.name
    return own if own.is_file() else WORKSPACE
