"""The names that the two client libraries have for one setting: one table of a cell serves both."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

ALIASES = {
    "sasl.mechanisms": "sasl_mechanism",
    "sasl.username": "sasl_plain_username",
    "sasl.password": "sasl_plain_password",
    "sasl.kerberos.service.name": "sasl_kerberos_service_name",
    "ssl.ca.location": "ssl_cafile",
    "ssl.certificate.location": "ssl_certfile",
    "ssl.key.location": "ssl_keyfile",
    "ssl.key.password": "ssl_password",
    "ssl.crl.location": "ssl_crlfile",
    "ssl.cipher.suites": "ssl_ciphers",
}
"""librdkafka's name -> kafka-python's, where they are more than dots and underscores apart."""

_LIBRDKAFKAS = {theirs: name for name, theirs in ALIASES.items()}
_CHECK_HOST = "ssl_check_hostname"
_FALSE = ("false", "False", False)


def in_librdkafkas_names(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings under librdkafka's names, without those that only kafka-python knows."""
    found: dict[str, Any] = {}
    for name, value in settings.items():
        theirs = name.replace(".", "_")
        if theirs == _CHECK_HOST:
            found["ssl.endpoint.identification.algorithm"] = "none" if value in _FALSE else "https"
            continue
        ours = _LIBRDKAFKAS.get(theirs, theirs.replace("_", "."))
        if _is_known(ours):
            found[ours] = value
    return found


@lru_cache(maxsize=256)
def _is_known(name: str) -> bool:
    # Only who reads by it needs it.
    from confluent_kafka import Consumer, KafkaException

    # The library lists its settings nowhere: it is asked, and refuses the protocol before it is a client.
    try:
        Consumer({"group.id": "headwater", name: "1", "security.protocol": "none of them"})
    except KafkaException as error:
        return not error.args[0].str().startswith("No such configuration property")
    return True
