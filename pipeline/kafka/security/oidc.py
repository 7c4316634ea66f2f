"""The settings of `kafka` in a cell.json by which clients log in with tokens of an OIDC provider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from pipeline.kafka.errors import KafkaSettingError

MECHANISM = "OAUTHBEARER"
_PREFIX = "sasl.oauthbearer."
_ENDPOINT = f"{_PREFIX}token.endpoint.url"
_ID = f"{_PREFIX}client.id"
_SECRET = f"{_PREFIX}client.secret"
_AUTHORITY = "https.ca.location"
_KNOWN = {
    _ENDPOINT,
    _ID,
    _SECRET,
    _AUTHORITY,
    f"{_PREFIX}method",
    f"{_PREFIX}scope",
    f"{_PREFIX}extensions",
}
_REMEDY = "Correct `kafka` in the cell's settings; docs/reference/cell.md lists the settings."


@dataclass(frozen=True)
class OidcLogin:
    """Who asks which endpoint for tokens.

    Attributes:
        authority: a file with the certificates that the endpoint's is trusted by; empty: the system's.
        extensions: what is told to the cluster beside a token.
    """

    endpoint: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str = ""
    authority: str = ""
    extensions: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """The endpoint for messages, without what may be secret in its address."""
        address = urlsplit(self.endpoint)
        host = address.netloc.rpartition("@")[2]
        return f"token endpoint {address.scheme}://{host}{address.path}"


def without_oidc(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that are not about tokens."""
    return {name: value for name, value in settings.items() if name not in _KNOWN}


def oidc_login(settings: Mapping[str, Any], subject: str) -> OidcLogin | None:
    """Return how clients with `settings`, in librdkafka's names, come to tokens; None where they need none.

    Raises:
        KafkaSettingError: they need tokens, and a setting is missing or of no use.
    """
    mechanisms = {
        settings.get(name) for name in ("sasl.mechanisms", "sasl.mechanism", "sasl_mechanism")
    }
    if MECHANISM not in mechanisms:
        return None
    missing = [name for name in (_ENDPOINT, _ID, _SECRET) if not settings.get(name)]
    if missing:
        raise KafkaSettingError(
            f"{MECHANISM} wants `{'`, `'.join(missing)}`.", subject=subject, remedy=_REMEDY
        )
    if settings.get(f"{_PREFIX}method", "oidc") != "oidc":
        raise KafkaSettingError(
            f"`{_PREFIX}method` can be `oidc` alone.", subject=subject, remedy=_REMEDY
        )
    address = urlsplit(str(settings[_ENDPOINT]))
    if address.scheme not in ("http", "https") or not address.hostname:
        raise KafkaSettingError(f"`{_ENDPOINT}` is no URL.", subject=subject, remedy=_REMEDY)
    return OidcLogin(
        endpoint=address.geturl(),
        client_id=str(settings[_ID]),
        client_secret=str(settings[_SECRET]),
        scope=str(settings.get(f"{_PREFIX}scope", "")),
        authority=str(settings.get(_AUTHORITY, "")),
        extensions=_pairs(str(settings.get(f"{_PREFIX}extensions", "")), subject),
    )


def _pairs(text: str, subject: str) -> tuple[tuple[str, str], ...]:
    pairs = [one.strip().partition("=") for one in text.split(",") if one.strip()]
    if any(not equals for _, equals, _ in pairs):
        raise KafkaSettingError(
            f"`{_PREFIX}extensions` is not `name=value`, with commas between.",
            subject=subject,
            remedy=_REMEDY,
        )
    return tuple((name, value) for name, _, value in pairs)
