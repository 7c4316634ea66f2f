"""Connections to a cell's Kafka cluster, with time-outs that end and errors that are named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from difflib import get_close_matches
from typing import Any, TypeVar

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import KafkaConfigurationError

from pipeline.cells import Cell
from pipeline.config.secret_text import scrubbed
from pipeline.kafka.errors import BrokerUnavailableError, KafkaSettingError, named_errors
from pipeline.kafka.kafka_python_private import KafkaNetClient, log_in, stop_network
from pipeline.kafka.reachability import why_unreachable
from pipeline.kafka.security.clients import kafka_python_login, obtain_token
from pipeline.kafka.security.names import ALIASES
from pipeline.kafka.security.oidc import without_oidc
from pipeline.kafka.tls import tls_of
from pipeline.kafka.transport import LargeResponseTransport

CONNECT_MS = 8_000
"""How long a cluster may take to answer a new connection."""
REQUEST_MS = 8_000
"""How long a broker may take to answer one request."""
FETCH_BYTES = 64 * 1024 * 1024
"""Most bytes of one fetch; a single larger record batch is still returned."""
MAX_RECORD_BYTES = 16 * 1024 * 1024
"""Largest record a producer sends; the topic may allow less."""

_LOGINS = 3
"""How often a login is tried, to learn whether it is refused."""

_TRUTH = {"true": True, "false": False}

Client = TypeVar("Client", KafkaAdminClient, KafkaConsumer, KafkaProducer)


def connect_admin(cell: Cell, **overrides: Any) -> KafkaAdminClient:
    """Return a connected admin client, a context manager that closes itself.

    Raises:
        BrokerUnavailableError: no broker answered within `CONNECT_MS`; nothing is left open.
        KafkaSettingError: `cell.kafka` has a setting that no client knows.
        KafkaAccessError: the cluster refused the credentials.
        KafkaTlsError: TLS does not come about, or only one side wants it.
        TokenUnavailableError: it logs in with a token, and could get none for now.
    """
    return _connect(KafkaAdminClient, cell, overrides)


def connect_consumer(cell: Cell, **overrides: Any) -> KafkaConsumer:
    """Return a connected consumer of committed records, a context manager that closes itself.

    It belongs to no group, commits no offsets, and never jumps to another offset by itself: an
    offset that is not there any more is an error.

    Raises:
        As `connect_admin`.
    """
    settings = {
        "group_id": None,
        "enable_auto_commit": False,
        "auto_offset_reset": "none",
        "isolation_level": "read_committed",
        "allow_auto_create_topics": False,
        "metrics_enabled": False,
        "fetch_max_bytes": FETCH_BYTES,
        "max_partition_fetch_bytes": 2 * 1024 * 1024,
        "max_poll_records": 50_000,
        "request_timeout_ms": REQUEST_MS,
    }
    return _connect(KafkaConsumer, cell, settings | overrides)


def connect_producer(cell: Cell, **overrides: Any) -> KafkaProducer:
    """Return a connected idempotent producer (acks=all), a context manager that flushes and closes.

    Raises:
        As `connect_admin`.
    """
    settings = {
        "enable_idempotence": True,
        "acks": "all",
        "compression_type": "lz4",
        "linger_ms": 20,
        "batch_size": 256 * 1024,
        "max_request_size": MAX_RECORD_BYTES,
        "allow_auto_create_topics": False,
        "metrics_enabled": False,
        "max_block_ms": 15_000,
        "delivery_timeout_ms": 30_000,
        "request_timeout_ms": REQUEST_MS,
    }
    return _connect(KafkaProducer, cell, settings | overrides)


def answering_within(cell: Cell, seconds: float) -> Cell:
    """Return the cell for connections that give up after `seconds`, unless its settings say how long."""
    quick = {"bootstrap.timeout.ms": round(seconds * 1000)}
    return replace(cell, kafka={**quick, **cell.kafka})


@contextmanager
def connecting(cell: Cell) -> Iterator[None]:
    """As `named_errors`, around what connects to the cell's brokers: why none answers is found out.

    Raises:
        BrokerUnavailableError, KafkaAccessError: as `named_errors`.
        KafkaTlsError: TLS does not come about with any of them, or only one side wants it.
        TokenUnavailableError: it logs in with a token, and could get none for now.
    """
    # Where there is none, the client would try again, and forget why.
    obtain_token(cell)
    try:
        with named_errors(cell.bootstrap_servers):
            yield
    except BrokerUnavailableError as error:
        configs = {
            **KafkaAdminClient.DEFAULT_CONFIG,
            **client_configs(cell, KafkaAdminClient.DEFAULT_CONFIG),
        }
        found = why_unreachable(cell.bootstrap_servers, configs.get("ssl_context"))
        if found is None and str(configs["security_protocol"]).startswith("SASL_"):
            _log_in(cell, configs)
        raise found or error from error.__cause__


def _log_in(cell: Cell, configs: Mapping[str, Any]) -> None:
    """Log in, to learn whether the cluster refuses that.

    Raises:
        KafkaAccessError: it does.
    """
    for _ in range(_LOGINS):
        # Now and then the connection's end overtakes the refusal.
        with suppress(BrokerUnavailableError), named_errors(cell.bootstrap_servers):
            log_in(configs, LargeResponseTransport)
            return


def _connect(kind: type[Client], cell: Cell, settings: Mapping[str, Any]) -> Client:
    opened: list[KafkaNetClient] = []

    def network(**configs: Any) -> KafkaNetClient:
        opened.append(KafkaNetClient(**configs))
        return opened[-1]

    configs = {
        **settings,
        **client_configs(cell, kind.DEFAULT_CONFIG),
        "kafka_client": network,
    }
    client: Client | None = None
    try:
        with connecting(cell):
            client = kind(**configs)
            return client
    except KafkaConfigurationError as error:
        raise KafkaSettingError(
            f"the Kafka client refused its settings ({scrubbed(str(error), cell.kafka.values())}).",
            subject=f"cell {cell.name}",
            remedy="Correct `kafka` in the cell's settings.",
        ) from error
    finally:
        # The client's constructor leaves its network thread running when it fails.
        if client is None:
            for half_open in opened:
                stop_network(half_open)


def client_configs(cell: Cell, known: Mapping[str, Any]) -> dict[str, Any]:
    """Return how any client of the cell's cluster connects: our time-outs, then the cell's settings.

    Raises:
        KafkaSettingError: as `client_settings`, and as `tls_of`.
    """
    settings = client_settings(cell, known)
    tls = tls_of(settings, f"cell {cell.name}")
    return {
        "bootstrap_servers": cell.bootstrap_servers.split(","),
        "client_id": "headwater",
        "bootstrap_timeout_ms": CONNECT_MS,
        "request_timeout_ms": REQUEST_MS,
        "reconnect_backoff_max_ms": 1_000,
        **settings,
        **kafka_python_login(cell),
        **({} if tls is None else {"ssl_context": tls}),
    }


def client_settings(cell: Cell, known: Mapping[str, Any]) -> dict[str, Any]:
    """Return `cell.kafka` under kafka-python's names, without those that only other clients know.

    Raises:
        KafkaSettingError: a setting that no client knows.
    """
    everywhere: set[str] = set()
    for kind in (KafkaAdminClient, KafkaConsumer, KafkaProducer):
        everywhere.update(kind.DEFAULT_CONFIG)
    found: dict[str, Any] = {}
    for name, value in without_oidc(cell.kafka).items():
        ours = ALIASES.get(name, name.replace(".", "_"))
        if ours in known:
            found[ours] = _typed(cell, name, value, known[ours])
        elif ours not in everywhere:
            known_names = [*ALIASES, *(one.replace("_", ".") for one in everywhere)]
            near = get_close_matches(name.replace("_", "."), known_names, n=1)
            hint = f"Did you mean `{near[0]}`? " if near else ""
            raise KafkaSettingError(
                f"`{name}` is not a setting of a Kafka client.",
                subject=f"cell {cell.name}",
                remedy=f"{hint}Use the client's own names, or one of: {', '.join(sorted(ALIASES))}.",
            )
    return found


def _typed(cell: Cell, name: str, value: Any, default: Any) -> Any:
    """Return what is given as text, as variables are, as the type that the client's default has."""
    if not isinstance(value, str) or not isinstance(default, int | float):
        return value
    try:
        return _TRUTH[value.lower()] if isinstance(default, bool) else type(default)(value)
    except (ValueError, KeyError):
        raise KafkaSettingError(
            f"`{name}` is not {'true or false' if isinstance(default, bool) else 'a number'}.",
            subject=f"cell {cell.name}",
            remedy="Correct `kafka` in the cell's settings.",
        ) from None
