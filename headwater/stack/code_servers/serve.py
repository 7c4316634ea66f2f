"""Serving a code location, and loading it anew.

Usage: `python -m headwater.stack.code_servers.serve CONTRACTS OPTIONS...`. OPTIONS are those of `dagster
code-server start`, port and host among them. The location is loaded anew when a file below CONTRACTS
changes, or when the process that has the code has died.
"""

from __future__ import annotations

import logging
import runpy
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from assets.dagster_private.processes import CodeServer, serve_code_by
from headwater.stack.dagster.plain_logs import plain_logs
from headwater.stack.ports import EVERYWHERE, LOOPBACK

LOOK_S = 2.0
"""How often files are looked at and the server is asked."""
PAUSE_S = 30.0
"""How long after a failed attempt the next may follow."""
LOG = logging.getLogger("dagster.code_server")

Fingerprint = frozenset[tuple[str, int, int]]


def fingerprint(folder: Path) -> Fingerprint:
    """Return path, time of change in ns and bytes of each file below `folder`, of what can be read now."""
    return frozenset(_files(folder))


def keep_current(contracts: Path, port: int, host: str = LOOPBACK) -> None:
    """Have the server on `port` of `host` load its code anew whenever it should; never returns."""
    server, loaded = CodeServer(port, host), fingerprint(contracts)
    while not server.answers():
        time.sleep(LOOK_S)
    seen = loaded
    while True:
        time.sleep(LOOK_S)
        before, seen = seen, fingerprint(contracts)
        # Not while files are still being written.
        has_changed = seen != loaded and seen == before
        if not has_changed and server.answers():
            continue
        LOG.info(
            "%s: loading the code anew", "contracts have changed" if has_changed else "it died"
        )
        loaded = seen
        if not server.reload():
            time.sleep(PAUSE_S)


def _files(folder: Path) -> Iterator[tuple[str, int, int]]:
    for path in folder.rglob("*"):
        try:
            found = path.stat()
        except OSError:
            # It went meanwhile: the next look sees it as gone.
            continue
        yield str(path), found.st_mtime_ns, found.st_size


def main(contracts: Path, options: list[str]) -> None:
    """Serve until the process is ended."""
    plain_logs()
    port, host = int(options[options.index("-p") + 1]), options[options.index("-h") + 1]
    asked = LOOPBACK if host == EVERYWHERE else host
    threading.Thread(target=keep_current, args=(contracts, port, asked), daemon=True).start()
    serve_code_by("headwater.stack.code_servers.forking")
    sys.argv = ["dagster", "code-server", "start", *options]
    runpy.run_module("dagster", run_name="__main__")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
