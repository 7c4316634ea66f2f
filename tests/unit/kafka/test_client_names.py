"""One table of settings for two client libraries: each is given what it knows, under its own names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.cells import embedded_cell
from pipeline.kafka.errors import KafkaSettingError
from pipeline.kafka.librdkafka import consuming
from pipeline.kafka.security.names import in_librdkafkas_names


def test_names_of_kafka_python_become_those_of_librdkafka() -> None:
    assert in_librdkafkas_names(
        {
            "security_protocol": "SASL_SSL",
            "ssl.cafile": "ca.pem",
            "sasl_plain_username": "me",
            "sasl.plain.password": "hush",
            "socket.keepalive.enable": True,
        }
    ) == {
        "security.protocol": "SASL_SSL",
        "ssl.ca.location": "ca.pem",
        "sasl.username": "me",
        "sasl.password": "hush",
        "socket.keepalive.enable": True,
    }


def test_what_only_kafka_python_knows_is_left_out() -> None:
    assert (
        in_librdkafkas_names({"bootstrap.timeout.ms": 2_000, "exclude_internal_topics": True}) == {}
    )


@pytest.mark.parametrize(
    ("given", "expected"), [(False, "none"), ("false", "none"), (True, "https"), ("true", "https")]
)
def test_whether_hosts_are_held_to_their_certificates_is_never_left_out(
    given: object, expected: str
) -> None:
    found = in_librdkafkas_names({"ssl_check_hostname": given})
    assert found == {"ssl.endpoint.identification.algorithm": expected}


def test_a_value_that_librdkafka_does_not_take_is_named_without_secrets(tmp_path: Path) -> None:
    wrong = {"security.protocol": "nonsense", "sasl.password": "hush"}
    cell = replace(embedded_cell(tmp_path, "us", "127.0.0.1:9"), kafka=wrong)
    refused = pytest.raises(KafkaSettingError, match=r"security\.protocol")
    with refused as caught, consuming(cell, "any", {"group.id": "test"}, 1):
        pass
    assert "hush" not in str(caught.value)
