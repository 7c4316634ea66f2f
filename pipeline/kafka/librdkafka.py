"""Clients of librdkafka, which tries again whatever it meets: a refusal ends them by its name."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from kafka import KafkaAdminClient

from pipeline.cells import Cell
from pipeline.config.secret_text import scrubbed
from pipeline.errors import HeadwaterError
from pipeline.kafka.connect import MAX_RECORD_BYTES, client_settings
from pipeline.kafka.errors import KafkaAccessError, KafkaSettingError, KafkaTlsError
from pipeline.kafka.reachability import why_unreachable
from pipeline.kafka.security.clients import librdkafka_settings, obtain_token
from pipeline.kafka.tls import tls_of

_LOOK_S = 0.5
"""How often it is looked whether the cluster has refused."""
_FAILURES = 3
"""Fewer are those of a broker that is only stopping."""
_MUTE = 2
"""Each failed connection would be a line on standard error, beside the error that ends it."""
_REFUSED, _TLS = KafkaError._AUTHENTICATION, KafkaError._SSL  # noqa: SLF001 - the library's names of them


Client = TypeVar("Client", Consumer, Producer)


@contextmanager
def producing(cell: Cell, topic: str, within_s: float) -> Iterator[Producer]:
    """Yield an idempotent producer (acks=all) that the cluster has answered. What is not flushed may be lost.

    A refusal is told as such also where the block ends in KafkaException.

    Raises: as `consuming`.
    """
    told: list[KafkaError] = []
    settings = {
        "enable.idempotence": True,
        "compression.type": "lz4",
        "linger.ms": 20,
        "message.max.bytes": MAX_RECORD_BYTES,
        "delivery.timeout.ms": 30_000,
    }
    producer = _client(Producer, cell, settings, told)
    try:
        with _answered(cell, producer, topic, told, within_s):
            yield producer
    finally:
        # Or it says on standard error that nobody has heard its events.
        producer.poll(0)


@contextmanager
def consuming(
    cell: Cell, topic: str, settings: Mapping[str, Any], within_s: float
) -> Iterator[Consumer]:
    """Yield a consumer that the cluster has answered, closed at the end; `settings` win over the cell's.

    A refusal is told as such also where the block meets it, and then ends in KafkaException. Nothing is
    assigned; whether the topic is there, or may be read, is not looked at.

    Raises:
        confluent_kafka.KafkaException: no broker answered within `within_s`.
        KafkaAccessError: the cluster refused the credentials.
        KafkaTlsError: TLS does not come about.
        KafkaSettingError: the client does not take a setting of the cell's.
        TokenUnavailableError: it logs in with a token, and could get none for now.
    """
    told: list[KafkaError] = []
    consumer = _client(Consumer, cell, settings, told)
    try:
        with _answered(cell, consumer, topic, told, within_s):
            yield consumer
    finally:
        consumer.close()


@contextmanager
def _answered(
    cell: Cell, client: Consumer | Producer, topic: str, told: list[KafkaError], within_s: float
) -> Iterator[None]:
    """Wait for the cluster's answer, and end whatever meets a refusal by its name."""
    try:
        _await_answer(cell, client, topic, told, within_s)
        told.clear()
        yield
    except KafkaException as error:
        refusal = _refusal(cell, told)
        raise refusal or error from error


def _client(
    kind: type[Client], cell: Cell, settings: Mapping[str, Any], told: list[KafkaError]
) -> Client:
    own = {"bootstrap.servers": cell.bootstrap_servers, "error_cb": told.append, "log_level": _MUTE}
    try:
        return kind({**librdkafka_settings(cell), **settings, **own})
    except KafkaException as error:
        what = scrubbed(error.args[0].str(), cell.kafka.values())
        raise KafkaSettingError(
            f"librdkafka refused its settings ({what}).",
            subject=f"cell {cell.name}",
            remedy="Correct `kafka` in the cell's settings.",
        ) from error


def _await_answer(
    cell: Cell, client: Consumer | Producer, topic: str, told: list[KafkaError], within_s: float
) -> None:
    deadline = time.monotonic() + within_s
    while True:
        try:
            client.list_topics(topic, timeout=_LOOK_S)
        except KafkaException:
            # What is told is told while it polls.
            client.poll(0)
            if time.monotonic() > deadline:
                raise
            if told and (refusal := _refusal(cell, told)) is not None:
                raise refusal from None
        else:
            return


def _refusal(cell: Cell, told: list[KafkaError]) -> HeadwaterError | None:
    """Return the error for what librdkafka has told of; None where it is nothing that trying on cannot mend.

    Raises:
        KafkaAccessError, KafkaTlsError, TokenUnavailableError: no token is to be had.
    """
    logins = [error for error in told if error.code() == _REFUSED]
    if logins:
        # Where there is none, the cluster has refused nothing.
        obtain_token(cell)
        return KafkaAccessError(
            f"Kafka refused the access ({_words(cell, logins[-1])}).",
            subject=cell.bootstrap_servers,
            remedy="Check the credentials in the cell's kafka settings.",
        )
    if len(told) < _FAILURES:
        return None
    tls = tls_of(client_settings(cell, KafkaAdminClient.DEFAULT_CONFIG), f"cell {cell.name}")
    found = why_unreachable(cell.bootstrap_servers, tls, _LOOK_S)
    failed = [error for error in told if error.code() == _TLS]
    if found is not None or len(failed) < _FAILURES:
        return found if isinstance(found, KafkaTlsError) else None
    # The other client trusts, or is trusted: the libraries differ in what they take.
    return KafkaTlsError(
        f"TLS does not come about ({_words(cell, failed[-1])}).",
        subject=cell.bootstrap_servers,
        remedy="Check the `ssl.` settings in `kafka` of the cell's settings.",
    )


def _words(cell: Cell, error: KafkaError) -> str:
    return scrubbed(error.str(), cell.kafka.values())
