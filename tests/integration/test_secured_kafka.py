"""A cluster that wants TLS and a login or a certificate: settings are enough, and faults have names."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

import headwater
from headwater.stack.ports import free_port
from pipeline.kafka.connect import connect_admin
from pipeline.kafka.errors import (
    BrokerUnavailableError,
    KafkaAccessError,
    KafkaSettingError,
    KafkaTlsError,
)
from pipeline.kafka.librdkafka import consuming
from pipeline.kafka.network import Network
from tests.support.secured_broker import MECHANISMS, PASSWORD, USER, Secured
from tests.support.whole_way import assert_records_become_rows

SOON_S = 15.0
"""Within this a fault is told, beside others that work this machine hard."""


def at(cell: headwater.Cell, servers: str, kafka: Mapping[str, object]) -> headwater.Cell:
    return replace(cell, bootstrap_servers=servers, kafka=kafka)


def test_a_login_is_enough(
    cell: headwater.Cell, strict_product: headwater.Product, secured: Secured
) -> None:
    assert_records_become_rows(
        at(cell, secured.login, secured.by_login("SCRAM-SHA-512")), strict_product
    )


def test_the_names_of_either_client_serve_both(
    cell: headwater.Cell, strict_product: headwater.Product, secured: Secured
) -> None:
    names = {
        "security_protocol": "SASL_SSL",
        "ssl_cafile": str(secured.trusted),
        "ssl.check.hostname": "true",
        "sasl_mechanism": "PLAIN",
        "sasl.plain.username": USER,
        "sasl_plain_password": PASSWORD,
        "bootstrap.timeout.ms": 8_000,
    }
    assert_records_become_rows(at(cell, secured.login, names), strict_product)


def test_a_certificate_is_enough(
    cell: headwater.Cell, strict_product: headwater.Product, secured: Secured
) -> None:
    assert_records_become_rows(at(cell, secured.mutual, secured.by_certificate), strict_product)


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_wrong_password_is_refused_access_and_soon(
    cell: headwater.Cell, secured: Secured, mechanism: str
) -> None:
    with connect_admin(at(cell, secured.login, secured.by_login(mechanism))) as admin:
        assert admin.describe_cluster()["brokers"]
    quick = {**secured.by_login(mechanism, "guessed"), "bootstrap.timeout.ms": 2_000}
    wrong = at(cell, secured.login, quick)
    begun = time.monotonic()
    for connect in (connect_admin, Network):
        with pytest.raises(KafkaAccessError) as caught:
            connect(wrong)
        assert "guessed" not in str(caught.value)
        assert "Invalid" in str(caught.value) or "Authentication failed" in str(caught.value)
    assert time.monotonic() - begun < 2 * SOON_S


def test_a_wrong_password_is_refused_without_tls_as_well(
    cell: headwater.Cell, secured: Secured
) -> None:
    for password in (PASSWORD, "guessed"):
        login = {**secured.by_login("PLAIN", password), "security.protocol": "SASL_PLAINTEXT"}
        there = at(cell, secured.open_login, {**login, "bootstrap.timeout.ms": 2_000})
        if password == PASSWORD:
            connect_admin(there).close()
        else:
            with pytest.raises(KafkaAccessError):
                connect_admin(there)


def test_each_fault_is_told_by_its_name(
    cell: headwater.Cell, secured: Secured, tmp_path: Path
) -> None:
    login = secured.by_login("PLAIN")
    untrusting = {name: value for name, value in login.items() if name != "ssl.ca.location"}
    without_certificate = {"security.protocol": "SSL", "ssl.ca.location": str(secured.trusted)}
    faults = {
        "not trusted": (KafkaTlsError, secured.login, untrusting),
        "speaks TLS, and the cell does not": (KafkaTlsError, secured.login, {}),
        "speaks no TLS": (KafkaTlsError, secured.plain, login),
        "TLS does not come about": (KafkaTlsError, secured.mutual, without_certificate),
        "nothing listens": (BrokerUnavailableError, f"127.0.0.1:{free_port()}", login),
        "no host of this name": (BrokerUnavailableError, "no-such-broker.invalid:9092", login),
    }
    for words, (kind, servers, kafka) in faults.items():
        begun = time.monotonic()
        with pytest.raises(kind, match=words):
            connect_admin(at(cell, servers, {**kafka, "bootstrap.timeout.ms": 2_000}))
        assert time.monotonic() - begun < SOON_S, words


CONSUMER = {"group.id": "headwater-test"}


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_login_that_librdkafka_alone_is_refused_is_told_soon(
    cell: headwater.Cell, secured: Secured, mechanism: str
) -> None:
    right, wrong = (secured.by_login(mechanism, one) for one in (PASSWORD, "guessed"))
    with consuming(at(cell, secured.login, right), "any", CONSUMER, SOON_S) as consumer:
        assert consumer.list_topics(timeout=5).brokers
    begun = time.monotonic()
    refused = pytest.raises(KafkaAccessError, match="Kafka refused the access")
    with refused as caught, consuming(at(cell, secured.login, wrong), "any", CONSUMER, 2 * SOON_S):
        pass
    assert time.monotonic() - begun < SOON_S
    assert "guessed" not in str(caught.value)


def test_tls_that_librdkafka_cannot_have_and_settings_that_it_does_not_take_are_told(
    cell: headwater.Cell, secured: Secured
) -> None:
    login = secured.by_login("PLAIN")
    untrusting = {name: value for name, value in login.items() if name != "ssl.ca.location"}
    faults = {
        "not trusted": (KafkaTlsError, secured.login, untrusting),
        "speaks no TLS": (KafkaTlsError, secured.plain, login),
        "refused its settings": (KafkaSettingError, secured.plain, {"security.protocol": "no"}),
    }
    for words, (kind, servers, kafka) in faults.items():
        begun = time.monotonic()
        there = at(cell, servers, kafka)
        told = pytest.raises(kind, match=words)
        with told, consuming(there, "any", CONSUMER, 2 * SOON_S):
            pass
        assert time.monotonic() - begun < SOON_S, words
