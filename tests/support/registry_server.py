"""Schema registry servers: as a process of its own, and within this one."""

from __future__ import annotations

import base64
import json
import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from headwater.schema_registry.launch import launch_schema_registry
from headwater.schema_registry.serve import server
from headwater.stack.ports import free_port
from pipeline.cells import embedded_cell, save_cell
from pipeline.schemas.sqlite import SqliteRegistry

MEDIA = "application/vnd.schemaregistry.v1+json"


@contextmanager
def served(database: Path, login: str | None = None) -> Iterator[str]:
    """Yield the URL of a server of `database` within this process; `login`, name:password, is asked for."""
    port = free_port()
    serving = server(lambda: SqliteRegistry(database), port)
    if login is not None:
        serving.config.app = _asking(login, serving.config.app)
    thread = threading.Thread(target=serving.run)
    thread.start()
    try:
        while not serving.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield f"http://127.0.0.1:{port}"
    finally:
        serving.should_exit = True
        thread.join()


def _asking(login: str, application: Any) -> Any:
    wanted = b"Basic " + base64.b64encode(login.encode())

    async def asking(scope: Any, receive: Any, send: Any) -> None:
        if dict(scope["headers"]).get(b"authorization") == wanted:
            await application(scope, receive, send)
            return
        headers = [(b"content-type", MEDIA.encode()), (b"www-authenticate", b"Basic")]
        await send({"type": "http.response.start", "status": 401, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"error_code": 401}'})

    return asking


@contextmanager
def registry_server(home: Path, cell: str = "us") -> Iterator[str]:
    """Yield the URL of a server of the cell's registry, which is made if absent."""
    save_cell(home, embedded_cell(home, cell, "127.0.0.1:1"))
    port = free_port()
    started = launch_schema_registry(home, cell, port, home / "registry.log", os.environ)
    try:
        deadline = time.monotonic() + started.timeout_s
        while not started.is_ready():
            assert started.process.alive, started.log.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        started.process.stop()


def ask(
    url: str,
    method: str,
    path: str,
    body: object = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, Any]:
    """Return status and document of an answer, be it an error."""
    data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Content-Type": MEDIA, **(headers or {})}
    request = urllib.request.Request(url + path, data, headers, method=method)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310
            assert answer.headers["Content-Type"].startswith(MEDIA)
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            text = error.read()
            return error.code, json.loads(text) if text.startswith(b"{") else text.decode()
