"""A real REST catalog behind a proxy that takes its conscience, or what it is able to do."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests


@contextmanager
def careless(uri: str, endpoints: Sequence[str] = ()) -> Iterator[str]:
    """Yield the URL of the catalog at `uri` as one that takes every commit.

    If it is to say what it does, it does `endpoints` and no more.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._pass_on(None)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if b'"requirements"' in body:
                body = json.dumps({**json.loads(body), "requirements": []}).encode()
            self._pass_on(body)

        def _pass_on(self, body: bytes | None) -> None:
            headers = {k: v for k, v in self.headers.items() if k not in ("Host", "Content-Length")}
            answer = requests.request(
                self.command, uri + self.path, data=body, headers=headers, timeout=30
            )
            content = answer.content
            if endpoints and self.path.startswith("/v1/config"):
                content = json.dumps({**answer.json(), "endpoints": endpoints}).encode()
            self.send_response(answer.status_code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
