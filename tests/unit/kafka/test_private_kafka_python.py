"""pipeline/kafka/kafka_python_private.py against the library that is installed, over sockets of this process.

tests/integration/test_fetch.py has the same on a broker: large answers are read whole there.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.kafka.kafka_python_private import (
    BrokerConnections,
    FetchRequest,
    IsolationLevel,
    KafkaNetClient,
    NetworkSelector,
    stop_network,
)
from pipeline.kafka.transport import LargeResponseTransport
from tests.support.private_parts import parts_of

MIB = 1 << 20
PATIENCE_S = 30


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A port that takes connections and answers nothing by itself."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE_S)
        yield server


def test_answers_arrive_through_the_transport_that_was_chosen(listener: socket.socket) -> None:
    built: list[LargeResponseTransport] = []

    def transport(*arguments: Any, **options: Any) -> LargeResponseTransport:
        built.append(LargeResponseTransport(*arguments, **options))
        return built[-1]

    threads = set(threading.enumerate())
    host, port = listener.getsockname()
    configs = {
        "bootstrap_servers": [f"{host}:{port}"],
        "client_id": "test",
        "receive_message_max_bytes": 2**31 - 1,
    }
    with parts_of("kafka"):
        network = NetworkSelector(**configs)
        connections = BrokerConnections(network, transport, **configs)
        client = KafkaNetClient(network, connections, **configs)
        network.start()
        try:
            connections.bootstrap_async(PATIENCE_S * 1000)
            with listener.accept()[0] as peer:
                assert peer.recv(4096)  # the first request of any client
                assert len(built) == 1
                assert built[0].response is None
                peer.sendall(struct.pack(">i", 4 * MIB) + bytes(3 * MIB))
                response = arrived(built[0], 3 * MIB)
                assert len(response) == 4 * MIB
                assert type(response).__module__ == LargeResponseTransport.__module__
        finally:
            stop_network(client)
        assert set(threading.enumerate()) <= threads


def arrived(transport: LargeResponseTransport, size: int) -> Any:
    """Wait until so many bytes of an answer are there, and return it."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        response = transport.response
        if response is not None and response.tell() == size:
            return response
        time.sleep(0.01)
    raise TimeoutError(f"{size} bytes of an answer have not arrived")


def test_the_network_of_a_client_that_never_connected_is_stopped() -> None:
    threads = set(threading.enumerate())
    with parts_of("kafka"):
        client = KafkaNetClient(bootstrap_servers=["127.0.0.1:9"], client_id="test")
        stop_network(client)
        stop_network(client)
        assert set(threading.enumerate()) <= threads


def test_a_fetch_names_the_topic_by_its_id() -> None:
    topic = uuid.uuid4()
    with parts_of("kafka"):
        partition = FetchRequest.FetchTopic.FetchPartition(
            partition=3,
            current_leader_epoch=-1,
            fetch_offset=1234567,
            last_fetched_epoch=-1,
            partition_max_bytes=MIB,
        )
        request = FetchRequest(
            max_wait_ms=500,
            min_bytes=1,
            max_bytes=MIB,
            isolation_level=IsolationLevel.READ_COMMITTED,
            session_id=0,
            session_epoch=-1,
            topics=[FetchRequest.FetchTopic(partitions=[partition], topic_id=topic)],
            forgotten_topics_data=[],
            rack_id="",
            min_version=13,
            max_version=13,
        )
        request.with_header(correlation_id=1, client_id="test")
        sent = request.encode(version=13, header=True)
        assert topic.bytes + b"\x02" + struct.pack(">iiq", 3, -1, 1234567) in sent
