"""A collector of lineage that a test can take down and bring back at the same address."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import ThreadingHTTPServer
from typing import Any

from tests.support.http_here import QuietHandler

Document = dict[str, Any]


class LineageCollector:
    """Keeps what is posted to it.

    Attributes:
        events: what it has taken, in the order in which it came.
        headers: of each request.
        answers: statuses of the next answers; 201 when there are none left.
    """

    def __init__(self) -> None:
        self.events: list[Document] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.answers: list[int] = []
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None
        self.start()
        self.port = self._server.server_port if self._server else 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def states(self, run: str | None = None) -> list[str]:
        """Return the states that it was told of, of one run if given."""
        return [
            event["eventType"]
            for event in self.events
            if run is None or event["run"]["runId"] == run
        ]

    def start(self) -> None:
        collector = self

        class Handler(QuietHandler):
            def do_POST(self) -> None:  # noqa: N802 - http.server's
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = collector.answers.pop(0) if collector.answers else 201
                collector.paths.append(self.path)
                collector.headers.append(dict(self.headers))
                if status == 201:
                    collector.events.append(json.loads(body))
                self.answer_json(status, b"{}")

        self._server = ThreadingHTTPServer(("127.0.0.1", getattr(self, "port", 0)), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def stop(self) -> None:
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
        self._server = self._thread = None


@contextmanager
def collecting() -> Iterator[LineageCollector]:
    """Yield a collector that answers, and stop it at the end."""
    collector = LineageCollector()
    try:
        yield collector
    finally:
        with suppress(OSError):
            collector.stop()
