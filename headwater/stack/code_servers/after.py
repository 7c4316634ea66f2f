"""A part of Dagster that runs once those answer that it asks at its start; meanwhile it is imported.

Usage: `python -m headwater.stack.code_servers.after PARTS MODULE ARGUMENTS...`. PARTS are `code:HOST:PORT`
and `web:HOST:PORT`, joined by commas. Nothing fails where one does not answer in time: MODULE runs then,
and tells of it itself.
"""

from __future__ import annotations

import runpy
import sys
import time
from collections.abc import Iterable
from importlib import import_module

from headwater.stack.code_servers.launch import is_serving
from headwater.stack.dagster import launch as dagster
from headwater.stack.dagster.plain_logs import plain_logs
from headwater.stack.ports import parse_address

PATIENCE_S = 300.0
LOOK_S = 0.1
_ANSWERS = {"code": is_serving, "web": dagster.is_serving}


def wait_for(parts: Iterable[str], patience_s: float = PATIENCE_S) -> bool:
    """Return whether each part answers within `patience_s`.

    Raises:
        KeyError, ValueError: what is named is no part.
    """
    deadline = time.monotonic() + patience_s
    for kind, _, where in (part.partition(":") for part in parts):
        address = parse_address(where)
        while not _ANSWERS[kind](address.port, address.host):
            if time.monotonic() > deadline:
                return False
            time.sleep(LOOK_S)
    return True


def main(parts: str, module: str, arguments: list[str]) -> None:
    """Run `module` in this process, until it ends."""
    plain_logs()
    import_module(f"{module}.cli")
    wait_for(filter(None, parts.split(",")))
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
