"""Raw requests to a cluster's brokers: what no client of records offers."""

from __future__ import annotations

from concurrent.futures import Future
from types import TracebackType
from typing import Any

from kafka import KafkaAdminClient, TopicPartition

from pipeline.cells import Cell
from pipeline.kafka.connect import CONNECT_MS, client_configs, connecting
from pipeline.kafka.kafka_python_private import (
    BrokerConnections,
    KafkaNetClient,
    NetworkSelector,
    stop_network,
)
from pipeline.kafka.transport import LargeResponseTransport

_LOOK_AGAIN_MS = 10


class Network:
    """Connections to a cell's brokers, served by a thread of their own. Close it when done."""

    def __init__(self, cell: Cell) -> None:
        """Connect.

        Raises:
            BrokerUnavailableError: no broker answered within `CONNECT_MS`; nothing is left open.
            KafkaSettingError, KafkaAccessError, KafkaTlsError, TokenUnavailableError: as `connect_admin`.
        """
        configs = {
            **KafkaAdminClient.DEFAULT_CONFIG,
            **client_configs(cell, KafkaAdminClient.DEFAULT_CONFIG),
            "receive_message_max_bytes": 2**31 - 1,
        }
        self._net = NetworkSelector(**configs)
        self._manager = BrokerConnections(self._net, LargeResponseTransport, **configs)
        # Else the first look for a topic's leaders, just after the brokers', waits a tenth of a second.
        self._manager.cluster.config["retry_backoff_ms"] = _LOOK_AGAIN_MS
        self._client = KafkaNetClient(self._net, self._manager, **configs)
        self._net.start()
        connected = False
        try:
            with connecting(cell):
                self._manager.bootstrap(CONNECT_MS)
            connected = True
        finally:
            if not connected:
                self.close()

    def __enter__(self) -> Network:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def leader(self, topic: str, partition: int) -> int | None:
        """Return the node that leads a partition as far as is known; None starts to find out."""
        cluster = self._manager.cluster
        node = cluster.leader_for_partition(TopicPartition(topic, partition))
        if node is None or node < 0:
            cluster.add_topic(topic)
            cluster.request_update()
            return None
        return int(node)

    def leader_epoch(self, topic: str, partition: int) -> int:
        """Return the epoch of the leader that `leader` named, -1 if unknown."""
        epoch = self._manager.cluster.leader_epoch_for_partition(TopicPartition(topic, partition))
        return -1 if epoch is None else int(epoch)

    def refresh(self) -> None:
        """Ask again who leads what: an answer said that it has changed."""
        self._manager.cluster.request_update()

    def supports(self, request: Any, version: int) -> bool:
        """Return whether the brokers know this version of a request."""
        return bool(self._manager.broker_version_data.api_version(request) >= version)

    def send(self, request: Any, node: int) -> Future[Any]:
        """Send a request to a node and return at once, with the response to come.

        It ends in kafka.errors.KafkaError where the request fails. A connection that fails is opened again.
        """
        response: Future[Any] = Future()

        async def exchange() -> None:
            try:
                response.set_result(await self._manager.send(request, node_id=node))
            except Exception as error:  # noqa: BLE001 - handed to whoever waits
                response.set_exception(error)

        self._manager.call_soon(exchange)
        return response

    def close(self) -> None:
        """Close the connections and end the thread. Idempotent."""
        stop_network(self._client)
