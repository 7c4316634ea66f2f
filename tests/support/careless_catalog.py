"""A real REST catalog behind a proxy that takes its conscience, or what it is able to do."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

import requests

from tests.support.http_here import QuietHandler, serving


@contextmanager
def careless(uri: str, endpoints: Sequence[str] = ()) -> Iterator[str]:
    """Yield the URL of the catalog at `uri` as one that takes every commit.

    If it is to say what it does, it does `endpoints` and no more.
    """

    class Handler(QuietHandler, BaseHTTPRequestHandler):
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
            self.answer_json(answer.status_code, content)

    with serving(Handler) as url:
        yield url
