"""The settings of logins with tokens: what is missing is named, and the endpoint has to be trusted."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from pipeline.kafka.errors import KafkaAccessError, KafkaSettingError, KafkaTlsError
from pipeline.kafka.security.oidc import OidcLogin, oidc_login
from pipeline.kafka.security.tokens import TokenSource
from tests.support.certificates import certificate_of, self_signed
from tests.support.http_here import QuietHandler, serving

LOGIN = {
    "sasl.mechanisms": "OAUTHBEARER",
    "sasl.oauthbearer.token.endpoint.url": "https://login.example.com/token",
    "sasl.oauthbearer.client.id": "headwater",
    "sasl.oauthbearer.client.secret": "tok3n",
}


def login(more: Mapping[str, str]) -> OidcLogin:
    found = oidc_login({**LOGIN, **more}, "cell us")
    assert found is not None
    return found


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[str]:
    """A port that speaks TLS by a certificate of its own, and gives no tokens."""

    class Handler(QuietHandler, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(404)
            self.end_headers()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path))
    with serving(Handler, context) as url:
        yield f"{url}/token"


def test_other_logins_want_no_token() -> None:
    assert oidc_login({"sasl.mechanisms": "PLAIN"}, "cell us") is None


@pytest.mark.parametrize("name", [name for name in LOGIN if name != "sasl.mechanisms"])
def test_what_is_missing_is_named(name: str) -> None:
    with pytest.raises(KafkaSettingError, match=f"cell us: OAUTHBEARER wants `{name}`"):
        login({name: ""})


@pytest.mark.parametrize(
    ("name", "value"),
    [("method", "default"), ("token.endpoint.url", "login/token"), ("extensions", "pool")],
)
def test_what_is_of_no_use_is_named(name: str, value: str) -> None:
    with pytest.raises(KafkaSettingError, match=f"`sasl.oauthbearer.{name}`"):
        login({f"sasl.oauthbearer.{name}": value})


def test_extensions_are_pairs_and_secrets_are_not_shown() -> None:
    found = login({"sasl.oauthbearer.extensions": "logicalCluster=lkc-1, identityPoolId=pool-a=b"})
    assert found.extensions == (("logicalCluster", "lkc-1"), ("identityPoolId", "pool-a=b"))
    assert "tok3n" not in repr(found)


def test_an_endpoint_is_spoken_to_where_its_authority_is_trusted(
    secured: str, tmp_path: Path
) -> None:
    endpoint = {"sasl.oauthbearer.token.endpoint.url": secured}
    with pytest.raises(KafkaTlsError, match=r"https\.ca\.location"):
        TokenSource(login(endpoint)).token()
    trusted = tmp_path / "trusted.pem"
    with pytest.raises(KafkaSettingError, match=r"https\.ca\.location"):
        TokenSource(login({**endpoint, "https.ca.location": str(trusted)})).token()
    trusted.write_bytes(certificate_of(tmp_path / "server.pem"))
    with pytest.raises(KafkaAccessError, match="gives no token"):
        TokenSource(login({**endpoint, "https.ca.location": str(trusted)})).token()
