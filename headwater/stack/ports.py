"""Ports on loopback: which are free, and what answers on one."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request
from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass

LOOPBACK = "127.0.0.1"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - a name; who binds to it says so


@dataclass(frozen=True)
class Address:
    """Where a part listens, or is reached."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """Where it answers, if it speaks HTTP."""
        return f"http://{self}"


def parse_address(text: str) -> Address:
    """Return the address that `host:port` is.

    Raises:
        ValueError: it is none.
    """
    host, _, port = text.rpartition(":")
    if not host:
        raise ValueError(f"{text} is not host:port")
    return Address(host, int(port))


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
