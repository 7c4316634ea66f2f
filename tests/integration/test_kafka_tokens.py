"""A cluster that wants tokens of an OIDC provider: settings are enough, and faults have names."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

import headwater
from headwater.stack.ports import free_port
from pipeline.kafka.connect import connect_admin
from pipeline.kafka.errors import KafkaAccessError
from pipeline.kafka.network import Network
from pipeline.kafka.security.clients import librdkafka_settings
from pipeline.kafka.security.tokens import TokenUnavailableError, token_source
from tests.support.secured_broker import Secured
from tests.support.token_endpoint import TokenEndpoint
from tests.support.whole_way import assert_records_become_rows

SOON_S = 15.0
"""Within this a fault is told, beside others that work this machine hard."""


@pytest.fixture
def tokens(secured: Secured) -> Iterator[TokenEndpoint]:
    """The endpoint as it is at first, of which nobody has a token yet, and again so at the end."""
    endpoint = secured.tokens
    token_source.cache_clear()
    yield endpoint
    endpoint.life_s, endpoint.status, endpoint.is_foreign = 600, 200, False


@pytest.fixture
def entitled(cell: headwater.Cell, secured: Secured, tokens: TokenEndpoint) -> headwater.Cell:
    """A cell whose clients log in with tokens."""
    return replace(cell, bootstrap_servers=secured.login, kafka=secured.by_token())


def test_a_token_is_enough_and_all_clients_share_it(
    entitled: headwater.Cell, strict_product: headwater.Product, tokens: TokenEndpoint
) -> None:
    before = tokens.given
    assert_records_become_rows(entitled, strict_product)
    assert tokens.given == before + 1


def test_a_token_is_renewed_before_it_expires(
    entitled: headwater.Cell, tokens: TokenEndpoint
) -> None:
    tokens.life_s, before = 5, tokens.given
    with connect_admin(entitled) as admin:
        until = time.monotonic() + 12
        while time.monotonic() < until:
            assert admin.describe_cluster()["brokers"]
            time.sleep(0.2)
    assert tokens.given >= before + 3


def test_a_wrong_secret_is_refused_access(
    entitled: headwater.Cell, secured: Secured, tokens: TokenEndpoint
) -> None:
    wrong = replace(entitled, kafka=secured.by_token("guessed"))
    for connect in (connect_admin, Network, librdkafka_settings):
        with pytest.raises(KafkaAccessError, match=r"refuses the client.*invalid_client") as caught:
            connect(wrong)
        assert "guessed" not in str(caught.value)


def test_an_expired_token_is_told_as_that(entitled: headwater.Cell, tokens: TokenEndpoint) -> None:
    tokens.life_s = -30
    with pytest.raises(KafkaAccessError, match=r"a token that expired \d+ s ago"):
        connect_admin(entitled)


def test_a_token_that_the_cluster_does_not_take_is_refused_access_and_soon(
    entitled: headwater.Cell, tokens: TokenEndpoint
) -> None:
    tokens.is_foreign = True
    begun = time.monotonic()
    with pytest.raises(KafkaAccessError, match="Kafka refused the access"):
        connect_admin(replace(entitled, kafka={**entitled.kafka, "bootstrap.timeout.ms": 2_000}))
    assert time.monotonic() - begun < SOON_S


def test_an_endpoint_that_is_away_or_busy_is_tried_again(
    entitled: headwater.Cell, tokens: TokenEndpoint
) -> None:
    tokens.status = 503
    with pytest.raises(TokenUnavailableError, match="503"):
        connect_admin(entitled)
    url = f"http://127.0.0.1:{free_port()}/token"
    away = {**entitled.kafka, "sasl.oauthbearer.token.endpoint.url": url}
    with pytest.raises(TokenUnavailableError):
        connect_admin(replace(entitled, kafka=away))
    tokens.status = 200
    connect_admin(entitled).close()


def test_a_token_that_still_lives_serves_on_while_no_other_can_be_had(
    entitled: headwater.Cell, tokens: TokenEndpoint
) -> None:
    tokens.life_s = 10
    connect_admin(entitled).close()
    time.sleep(8.2)
    tokens.status = 503
    connect_admin(entitled).close()
