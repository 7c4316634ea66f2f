"""Tokens to log in with: had of an OIDC provider by client credentials, and renewed before they expire."""

from __future__ import annotations

import base64
import json
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pipeline.errors import RetryableError
from pipeline.kafka.errors import KafkaAccessError, KafkaSettingError, KafkaTlsError
from pipeline.kafka.security.oidc import OidcLogin

ANSWER_S = 5.0
"""How long the token endpoint may take to answer."""
RENEWED_AFTER = 0.8
"""The share of its life after which a token is renewed; the old one serves on while no other can be had."""
UNTOLD_LIFE_S = 300.0
"""How long a token is taken to live that does not say it."""

_TRY_AGAIN = (408, 429)


class TokenUnavailableError(RetryableError):
    """The token endpoint did not answer in time, or could not for now."""


@dataclass(frozen=True)
class Token:
    """One token; times are seconds since the epoch."""

    value: str
    issued_at: float
    expires_at: float


class TokenSource:
    """The tokens of one login, one at a time. Usable from any thread."""

    def __init__(self, login: OidcLogin) -> None:
        self.login = login
        self._lock = threading.Lock()
        self._token: Token | None = None

    def token(self) -> Token:
        """Return a token that has not expired, by this machine's clock.

        Raises:
            KafkaAccessError: the endpoint refuses the client, or gives no token, or an expired one.
            TokenUnavailableError: it does not answer, and there is no other that still lives.
            KafkaTlsError, KafkaSettingError: TLS with it does not come about; its authority is no file.
        """
        with self._lock:
            known = self._token
            now = time.time()
            if known is not None and now < _renewed_at(known):
                return known
            try:
                self._token = _fetch(self.login)
            except TokenUnavailableError:
                if known is None or time.time() >= known.expires_at:
                    raise
                return known
            return self._token


@lru_cache(maxsize=32)
def token_source(login: OidcLogin) -> TokenSource:
    """Return the source that all clients of a login share in this process."""
    return TokenSource(login)


def _renewed_at(token: Token) -> float:
    return token.issued_at + RENEWED_AFTER * (token.expires_at - token.issued_at)


def _fetch(login: OidcLogin) -> Token:
    # They take a fifth of a second to import: only for who logs in so.
    import httpx2
    from authlib.integrations.base_client import OAuthError
    from authlib.integrations.httpx_client import OAuth2Client

    trusted = _trusted(login)
    asked_at = time.time()
    client = OAuth2Client(
        login.client_id,
        login.client_secret,
        scope=login.scope or None,
        verify=trusted,
        timeout=ANSWER_S,
    )

    def passed(answer: httpx2.Response) -> httpx2.Response:
        if answer.status_code >= 500 or answer.status_code in _TRY_AGAIN:
            raise _unavailable(login, f"it answers with status {answer.status_code}")
        return answer

    client.register_compliance_hook("access_token_response", passed)
    try:
        with client:
            found = client.fetch_token(login.endpoint, grant_type="client_credentials")
    except OAuthError as error:
        raise _refused(login, f"refuses the client ({error})") from None
    except httpx2.TransportError as error:
        if _is_tls(error):
            raise KafkaTlsError(
                f"TLS with it does not come about ({error}).",
                subject=login.name,
                remedy="Name its authority's certificate as `https.ca.location` in the cell's `kafka`.",
            ) from None
        raise _unavailable(login, str(error) or type(error).__name__) from None
    except (httpx2.HTTPStatusError, ValueError) as error:
        raise _refused(login, f"gives no token ({error})") from None
    return _token(login, found, asked_at)


def _trusted(login: OidcLogin) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=login.authority or None)
    except OSError as error:
        raise KafkaSettingError(
            f"`https.ca.location` cannot be read ({error}).",
            subject=login.name,
            remedy="Correct `kafka` in the cell's settings.",
        ) from error


def _token(login: OidcLogin, found: Mapping[str, Any], asked_at: float) -> Token:
    value = found.get("access_token")
    if not isinstance(value, str) or not value:
        raise _refused(login, "gives no token")
    ends = [asked_at + float(found["expires_in"])] if found.get("expires_in") is not None else []
    ends += [said] if (said := _expiry(value)) is not None else []
    expires_at = min(ends, default=asked_at + UNTOLD_LIFE_S)
    if expires_at <= time.time():
        raise KafkaAccessError(
            f"gives out a token that expired {time.time() - expires_at:.0f} s ago.",
            subject=login.name,
            remedy="Correct the clock here or there, or the provider's life of tokens.",
        )
    return Token(value, asked_at, expires_at)


def _expiry(token: str) -> float | None:
    """Return when a token says that it expires; None for one that does not, or is no JWT."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return float(claims["exp"])
    except (ValueError, TypeError, KeyError):
        return None


def _is_tls(error: BaseException | None) -> bool:
    # A connection that is cut ends TLS, too.
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error is not None and not isinstance(error, ssl.SSLEOFError)


def _refused(login: OidcLogin, what: str) -> KafkaAccessError:
    return KafkaAccessError(
        f"{what}.",
        subject=login.name,
        remedy="Correct the `sasl.oauthbearer.` settings in `kafka` of the cell's settings.",
    )


def _unavailable(login: OidcLogin, why: str) -> TokenUnavailableError:
    return TokenUnavailableError(
        f"gives no token for now: {why}.",
        subject=login.name,
        remedy="Check that it can be reached from here, then try again.",
    )
