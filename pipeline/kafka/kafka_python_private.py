"""What kafka-python keeps to itself and Headwater uses: all of it, each part with why.

Another version may change it without a word: so the range in pyproject.toml ends at the next minor
version, and tests/unit/project/test_private_parts.py tells what has changed.

Its clients offer records. Headwater wants whole batches from one broker, with their markers and aborted
transactions: for that it sends requests itself, over the connections that the clients are built on.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Mapping
from typing import Any

from kafka.net.compat import KafkaNetClient
from kafka.net.manager import KafkaConnectionManager
from kafka.net.sasl.oauth import AbstractTokenProvider
from kafka.net.selector import NetworkSelector
from kafka.net.transport import KafkaSSLTransport, KafkaTCPTransport
from kafka.protocol.consumer import FetchRequest, IsolationLevel

__all__ = [
    "AbstractTokenProvider",
    "BrokerConnections",
    "FetchRequest",
    "IsolationLevel",
    "KafkaNetClient",
    "NetworkSelector",
    "ReceivingTransport",
    "log_in",
    "stop_network",
    "tls_context",
]


class ReceivingTransport(KafkaTCPTransport):  # type: ignore[misc]
    """A connection whose bytes a subclass receives: the library takes 4 KiB a call, and copies them."""

    def receive(self) -> tuple[bytes, Exception | None]:
        """Return what has arrived, and what ends the connection."""
        raise NotImplementedError

    def _sock_recv(self) -> tuple[bytes, Exception | None]:
        return self.receive()

    @property
    def sock(self) -> socket.socket:
        """The connected socket, which does not block."""
        found: socket.socket = self._sock
        return found

    @property
    def response(self) -> Any:
        """What the parser collects the response in that is arriving; None before its length is known.

        It has that length and `tell`, `seek`, `read` and `write`; the parser's own is a bytearray.
        """
        return self._protocol.parser._rbuffer

    @response.setter
    def response(self, buffer: Any) -> None:
        self._protocol.parser._rbuffer = buffer


class BrokerConnections(KafkaConnectionManager):  # type: ignore[misc]
    """Connections whose transport the caller chooses, where they are plain: no setting does."""

    def __init__(
        self,
        network: NetworkSelector,
        transport: Callable[..., ReceivingTransport],
        **configs: Any,
    ) -> None:
        super().__init__(network, **configs)
        self._transport = transport

    async def _build_transport(self, node: Any, timeout_at: float | None = None) -> Any:
        built = await super()._build_transport(node, timeout_at=timeout_at)
        if self.ssl_enabled:
            return built
        # The handshake of a plain connection is nothing: its socket is as good in other hands.
        return self._transport(self._net, built._sock, host=node.host)


def log_in(configs: Mapping[str, Any], transport: Callable[..., ReceivingTransport]) -> None:
    """Connect to a bootstrap server and log in, once. Keeps nothing open.

    The library's clients try again until their time is over, and forget why.

    Raises:
        kafka.errors.KafkaError: what the login, or the connection, ended with.
    """
    network = NetworkSelector(**configs)
    connections = BrokerConnections(network, transport, **configs)

    async def once() -> None:
        broker = connections.cluster.bootstrap_brokers()[0]
        await connections.get_connection(
            broker.node_id, pop_on_close=False, refresh_metadata_on_err=False
        )

    network.start()
    try:
        connections.run(once)
    finally:
        connections.close()
        network.stop()


def stop_network(client: KafkaNetClient) -> None:
    """End the thread of a client's connections, and close them: `close` alone leaves the thread running."""
    client._net.stop()
    client.close()


def tls_context(settings: Mapping[str, Any]) -> ssl.SSLContext:
    """Return what clients with `settings` speak TLS by.

    Raises:
        OSError: a file that they name is not there, or none of TLS.
    """
    configs = KafkaSSLTransport.DEFAULT_CONFIG | dict(settings)
    context: ssl.SSLContext = KafkaSSLTransport._build_ssl_context(configs)
    return context
