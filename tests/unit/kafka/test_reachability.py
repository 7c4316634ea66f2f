"""What a client says of a cluster that it cannot reach: each reason by its own name, and soon."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from headwater.stack.ports import free_port
from pipeline.cells import Cell, embedded_cell
from pipeline.errors import HeadwaterError
from pipeline.kafka.connect import connect_admin
from pipeline.kafka.errors import BrokerUnavailableError, KafkaSettingError, KafkaTlsError
from pipeline.kafka.network import Network
from pipeline.kafka.reachability import why_unreachable
from pipeline.kafka.tls import tls_of
from tests.support.certificates import self_signed

TLS = {"security_protocol": "SSL"}
ANSWER = bytes.fromhex("00000006 00000001 0023")
"""Its length, the number of the request, and an error: more is not asked about."""


@contextmanager
def server(answer: bytes = ANSWER, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Listen as a broker does, which answers each connection once; yield its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_serve, args=(listener, answer, tls), daemon=True).start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def _serve(listener: socket.socket, answer: bytes, tls: ssl.SSLContext | None) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        try:
            connection.settimeout(2)
            with tls.wrap_socket(connection, server_side=True) if tls else connection as accepted:
                accepted.recv(64)
                accepted.sendall(answer)
                accepted.recv(64)
        except OSError:
            connection.close()


def certified(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def why(servers: str, settings: dict[str, str] | None = None) -> HeadwaterError | None:
    return why_unreachable(servers, tls_of(settings or {}, servers), within_s=2)


def reason(servers: str, settings: dict[str, str] | None = None) -> HeadwaterError:
    error = why(servers, settings)
    assert error is not None
    return error


def test_a_closed_port_and_an_unknown_host_are_told_apart_and_may_be_tried_again() -> None:
    closed = reason(f"127.0.0.1:{free_port()}")
    assert type(closed) is BrokerUnavailableError
    assert "nothing listens" in closed.what
    unknown = reason("no-such-broker.invalid:9092")
    assert type(unknown) is BrokerUnavailableError
    assert "no host of this name" in unknown.what
    assert unknown.subject == "no-such-broker.invalid:9092"


def test_a_port_that_answers_nothing_is_named() -> None:
    with server(answer=b"") as silent:
        assert "answers nothing" in reason(silent).what


def test_one_broker_that_answers_is_enough() -> None:
    with server() as broker:
        closed = f"127.0.0.1:{free_port()}"
        assert why(f"{closed}, {broker}") is None
        assert "Nor do the 1 others" in reason(f"{closed},{closed[:-1]}").what


def test_a_certificate_of_an_authority_that_nobody_trusts_is_not_tried_again(
    tmp_path: Path,
) -> None:
    certificate = self_signed(tmp_path)
    with server(tls=certified(certificate)) as broker:
        untrusted = reason(broker, TLS)
        assert type(untrusted) is KafkaTlsError
        assert "not trusted" in untrusted.what
        assert "ssl.ca.location" in untrusted.remedy
        trusting = {**TLS, "ssl_cafile": str(certificate)}
        assert why(broker, trusting) is None
        port = broker.rpartition(":")[2]
        other_name = reason(f"localhost:{port}", trusting)
        assert "mismatch" in other_name.what.lower()


def test_a_server_that_wants_a_certificate_of_the_client_is_named(tmp_path: Path) -> None:
    certificate = self_signed(tmp_path)
    wanting = certified(certificate)
    wanting.verify_mode = ssl.CERT_REQUIRED
    wanting.load_verify_locations(certificate)
    with server(tls=wanting) as broker:
        trusting = {**TLS, "ssl_cafile": str(certificate)}
        refused = reason(broker, trusting)
        assert type(refused) is KafkaTlsError
        assert "CERTIFICATE_REQUIRED" in refused.what
        both = {**trusting, "ssl_certfile": str(certificate)}
        assert why(broker, both) is None


def test_tls_on_one_side_alone_is_named(tmp_path: Path) -> None:
    with server(tls=certified(self_signed(tmp_path))) as broker:
        plain = reason(broker)
        assert type(plain) is KafkaTlsError
        assert "the cell does not" in plain.what
    with server() as broker:
        assert type(reason(broker, TLS)) is KafkaTlsError


def test_a_file_of_tls_that_is_not_there_is_a_wrong_setting() -> None:
    absent = {**TLS, "ssl_cafile": "absent.pem"}
    with pytest.raises(KafkaSettingError, match="cannot read what TLS needs"):
        tls_of(absent, "cell us")


@pytest.fixture
def cell(tmp_path: Path) -> Cell:
    quick = {"bootstrap.timeout.ms": 300, "security.protocol": "SSL"}
    return replace(embedded_cell(tmp_path, "us", ""), kafka=quick)


def test_every_client_says_so(cell: Cell, tmp_path: Path) -> None:
    with server(tls=certified(self_signed(tmp_path))) as broker:
        at = replace(cell, bootstrap_servers=broker)
        with pytest.raises(KafkaTlsError):
            connect_admin(at)
        with pytest.raises(KafkaTlsError):
            Network(at)
