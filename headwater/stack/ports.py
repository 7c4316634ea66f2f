"""Ports on loopback: which are free, and what answers on one."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request
from collections.abc import Collection
from contextlib import closing


def is_free(port: int) -> bool:
    """Whether nothing listens on `port` of loopback now."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port(preferred: int | None = None, avoid: Collection[int] = ()) -> int:
    """Return `preferred` if it is free, else some free port that is not in `avoid`.

    Another process may still take it before it is used.
    """
    if preferred is not None and preferred not in avoid and is_free(preferred):
        return preferred
    while True:
        with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port not in avoid:
            return port


def server_at(port: int) -> str | None:
    """Return what answers HTTP on `port` of loopback calls itself; None if nothing answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=3) as answer:
            return str(answer.headers["Server"])
    except (urllib.error.URLError, OSError, ValueError):
        return None
