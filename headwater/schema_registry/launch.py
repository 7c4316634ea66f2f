"""A cell's schema registry, as a part of the stack."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from headwater.stack.ports import server_at
from headwater.stack.process import start_detached
from headwater.stack.starting import Starting

READY_TIMEOUT_S = 60.0
SERVER = "headwater-schema-registry"


def launch_schema_registry(
    home: Path, cell: str, port: int, log: Path, environment: Mapping[str, str]
) -> Starting:
    """Start the server on loopback, and leave the waiting to the caller."""
    module = "headwater.schema_registry.serve"
    command = [sys.executable, "-m", module, str(home), cell, str(port)]
    process = start_detached(command, log, environment, home)
    subject = f"schema registry of {cell} 127.0.0.1:{port}"
    return Starting(process, subject, log, partial(is_serving, port), READY_TIMEOUT_S)


def is_serving(port: int) -> bool:
    """Whether a schema registry of ours answers on `port` of loopback; says nothing of its file."""
    return server_at(port) == SERVER
