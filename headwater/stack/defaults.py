"""Where the stack listens, and what Dagster loads, unless told otherwise."""

from __future__ import annotations

from pathlib import Path

KAFKA_PORT = 19092
WEB_PORT = 3000
DATA_DOCS_PORT = 3300
SCHEMA_REGISTRY_PORT = 8081
WORKSPACE = Path(__file__).with_name("workspace.yaml")
