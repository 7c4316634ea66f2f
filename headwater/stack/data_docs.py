"""The Data Docs of every cell, served: `python -m headwater.stack.data_docs HOME PORT [HOST]`.

`/<cell>/...` is a file below `<HOME>/cells/<cell>/data_docs`. `/` lists the validations of every cell, since
Great Expectations' own index is empty where its scripts cannot be fetched from the internet. Nothing else is
served: no listing of a folder, no link that leads out of the site.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import partial
from html import escape
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from socketserver import TCPServer
from typing import BinaryIO, cast
from urllib.parse import quote, unquote, urlsplit

from headwater.stack.ports import LOOPBACK, server_at
from headwater.stack.process import start_detached
from headwater.stack.starting import Starting

READY_TIMEOUT_S = 60.0
SERVER = "headwater-data-docs"


class Handler(SimpleHTTPRequestHandler):
    """Answers GET and HEAD."""

    server_version = SERVER
    sys_version = ""

    def __init__(self, cells: Path, *arguments: object) -> None:
        self._cells = cells.resolve()
        super().__init__(*arguments)  # type: ignore[arg-type]

    def translate_path(self, path: str) -> str:
        """Return the file that `path` names, one that is not there for any path that is not served."""
        asked = unquote(urlsplit(path).path).replace("\0", "")
        cell, _, rest = asked.lstrip("/").partition("/")
        site = (self._cells / cell / "data_docs").resolve()
        file = (site / rest).resolve()
        allowed = site.parent.parent == self._cells and file.is_relative_to(site)
        # A folder gets its slash back: without one it is told where its index is.
        slash = "/" if file.is_dir() and path.endswith("/") else ""
        return f"{file}{slash}" if allowed else str(self._cells / "no such site")

    def send_head(self) -> BytesIO | BinaryIO | None:
        """Answer with the list of sites at `/`, and with a file elsewhere."""
        if urlsplit(self.path).path != "/":
            return super().send_head()
        body = overview(self._cells).encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        return BytesIO(body)

    def list_directory(self, path: object) -> None:
        """Refuse: a folder without an index is not served."""
        del path
        self.send_error(HTTPStatus.NOT_FOUND)


def overview(cells: Path) -> str:
    """Return a page of links: of each cell its lineage pages and its validations, the newest run first."""
    parts = ["<!doctype html><title>Data Docs</title><h1>Data Docs</h1>"]
    for site in sorted({found.parent for found in cells.glob("*/data_docs/*")}):
        cell = site.parent.name
        has_index = (site / "index.html").is_file()
        name = (
            f'<a href="/{escape(quote(cell))}/">{escape(cell)}</a>' if has_index else escape(cell)
        )
        parts.append(f"<h2>{name}</h2>")
        if lineage := sorted(site.glob("lineage/*.html")):
            links = (f"<li>{_link(site, page)}</li>" for page in lineage)
            parts.append(f"<h3>Lineage</h3><ul>{''.join(links)}</ul>")
        # validations/<product>/<table>/<run>/<time>/<hour>.html
        for table in sorted(site.glob("validations/*/*")):
            pages = sorted(
                table.glob("*/*/*.html"), key=lambda page: page.parent.name, reverse=True
            )
            links = (f"<li>{_link(site, page)} ({escape(page.parent.name)})</li>" for page in pages)
            name = ".".join(table.parts[-2:])
            parts.append(f"<h3>{escape(name)}</h3><ul>{''.join(links)}</ul>")
    return "\n".join(parts if len(parts) > 1 else [*parts, "<p>No hour was audited yet.</p>"])


def _link(site: Path, page: Path) -> str:
    path = quote(f"{site.parent.name}/{page.relative_to(site).as_posix()}")
    return f'<a href="/{escape(path)}">{escape(page.stem)}</a>'


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def server_bind(self) -> None:
        # The library's own asks for the machine's name, which takes seconds where nobody answers.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = LOOPBACK, self.server_address[1]


def server(home: Path, port: int, host: str = LOOPBACK) -> ThreadingHTTPServer:
    """Return a server on `port`, any free one for 0; it answers once it is told to."""
    handler = partial(Handler, home / "cells")
    return _Server((host, port), cast("type[Handler]", handler))


def launch_data_docs(home: Path, port: int, log: Path, environment: Mapping[str, str]) -> Starting:
    """Start the server on loopback, and leave the waiting to the caller."""
    command = [sys.executable, "-m", "headwater.stack.data_docs", str(home), str(port)]
    process = start_detached(command, log, environment, home)
    subject = f"Data Docs 127.0.0.1:{port}"
    return Starting(process, subject, log, partial(is_serving, port), READY_TIMEOUT_S)


def is_serving(port: int) -> bool:
    """Whether Data Docs are served on `port` of loopback."""
    return (server_at(port) or "").startswith(SERVER)


if __name__ == "__main__":
    server(Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:]).serve_forever()
