"""How each of both client libraries logs in with tokens, both with the same ones."""

from __future__ import annotations

from typing import Any

from pipeline.cells import Cell
from pipeline.kafka.kafka_python_private import AbstractTokenProvider
from pipeline.kafka.security.names import in_librdkafkas_names
from pipeline.kafka.security.oidc import oidc_login, without_oidc
from pipeline.kafka.security.tokens import TokenSource, token_source


def obtain_token(cell: Cell) -> None:
    """Have a token ready for the cell's clients; nothing where they log in otherwise, or not at all.

    Raises:
        KafkaSettingError: as `oidc_login`.
        KafkaAccessError, KafkaTlsError, TokenUnavailableError: as `TokenSource.token`.
    """
    if (source := _source(cell)) is not None:
        source.token()


def kafka_python_login(cell: Cell) -> dict[str, Any]:
    """Return what kafka-python logs in with tokens by; empty where it does not.

    Raises:
        KafkaSettingError: as `oidc_login`.
    """
    source = _source(cell)
    return {} if source is None else {"sasl_oauth_token_provider": _Provider(source)}


def librdkafka_settings(cell: Cell) -> dict[str, Any]:
    """Return what librdkafka knows of `cell.kafka`, in its names, tokens among it, of which it has one ready.

    Raises:
        As `obtain_token`.
    """
    source = _source(cell)
    if source is None:
        return in_librdkafkas_names(cell.kafka)
    extensions = dict(source.login.extensions)

    def token(_: str) -> tuple[Any, ...]:
        now = source.token()
        return (now.value, now.expires_at, source.login.client_id, extensions)

    obtain_token(cell)
    return {**in_librdkafkas_names(without_oidc(cell.kafka)), "oauth_cb": token}


class _Provider(AbstractTokenProvider):  # type: ignore[misc]
    def __init__(self, source: TokenSource) -> None:
        super().__init__()
        self._source = source

    def token(self) -> str:
        return self._source.token().value

    def extensions(self) -> dict[str, str]:
        return dict(self._source.login.extensions)


def _source(cell: Cell) -> TokenSource | None:
    login = oidc_login(cell.kafka, f"cell {cell.name}")
    return None if login is None else token_source(login)
