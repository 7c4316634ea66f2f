"""What a cell's clients speak TLS by."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

from pipeline.kafka.errors import KafkaSettingError
from pipeline.kafka.kafka_python_private import tls_context

PROTOCOLS = ("SSL", "SASL_SSL")


class ClosingSocket(ssl.SSLSocket):
    """What the client library needs of a socket and does not do itself.

    It closes itself where TLS does not come about, which the library leaves open; and what came just before
    the connection's end, which the library drops with it, is received first: a refused login is such.
    """

    _has_received = False

    def do_handshake(self, block: bool = False) -> None:
        """See `ssl.SSLSocket.do_handshake`."""
        try:
            super().do_handshake(block)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except OSError:
            self.close()
            raise

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """See `ssl.SSLSocket.recv`."""
        data = super().recv(buflen, flags)
        is_end_of_more, self._has_received = not data and self._has_received, bool(data)
        if is_end_of_more:
            raise ssl.SSLWantReadError
        return data


def tls_of(settings: Mapping[str, Any], subject: str) -> ssl.SSLContext | None:
    """Return what clients with `settings`, kafka-python's, speak TLS by; None where they speak plainly.

    Raises:
        KafkaSettingError: a file that they name is not there, or has nothing that TLS can use.
    """
    if settings.get("security_protocol") not in PROTOCOLS:
        return None
    try:
        context = tls_context(settings)
    except OSError as error:
        raise KafkaSettingError(
            f"the client cannot read what TLS needs ({error}).",
            subject=subject,
            remedy="Correct the files that `kafka` in the cell's settings names.",
        ) from error
    context.sslsocket_class = ClosingSocket
    return context
