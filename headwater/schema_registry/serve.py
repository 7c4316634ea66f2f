"""Serving a cell's registry: `python -m headwater.schema_registry.serve HOME CELL PORT [HOST]`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import uvicorn

from headwater.schema_registry.app import application
from headwater.schema_registry.launch import SERVER
from headwater.stack.ports import LOOPBACK
from pipeline.cells import load_cell
from pipeline.schemas.open import open_embedded_registry
from pipeline.schemas.sqlite import SqliteRegistry


def server(
    open_registry: Callable[[], SqliteRegistry], port: int, host: str = LOOPBACK
) -> uvicorn.Server:
    """Return what serves a registry on a port, once it is run."""
    config = uvicorn.Config(
        application(open_registry),
        host=host,
        port=port,
        access_log=False,
        log_level="warning",
        # What only servers behind a proxy, of sockets or with a start of their own need costs each call.
        proxy_headers=False,
        ws="none",
        lifespan="off",
        server_header=False,
        headers=[("Server", SERVER)],
        timeout_graceful_shutdown=2,
    )
    return uvicorn.Server(config)


def main(home: Path, cell: str, port: int, host: str = LOOPBACK) -> None:
    """Serve until the process is ended."""
    server(lambda: open_embedded_registry(load_cell(home, cell)), port, host).run()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), *sys.argv[4:])
