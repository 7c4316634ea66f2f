"""Text that is not shown: passwords by the names of their settings, and logins inside addresses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

MASK = "***"

_SECRET = re.compile(
    r"passw(or)?d|secret|token|credential|access[._-]?key|api[._-]?key|private[._-]?key|authorization|user[._]info|jaas|[._]pem$",
    re.IGNORECASE,
)
_PLACE = re.compile(r"(url|uri|location|file|source)$", re.IGNORECASE)
_LOGIN = re.compile(r"(://[^/\s:@]*:)(\S*)@")
_QUERY = re.compile(r"([?&][^=&\s]*(?:password|secret|token)[^=&\s]*=)([^&\s]+)", re.IGNORECASE)


class SecretText(str):
    """A secret: itself as text, for a client; `***` in its representation and in that of what holds it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(MASK)


class AddressText(str):
    """An address with a login inside: its representation has the password masked."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(without_login(self))


def is_secret(name: str) -> bool:
    """Return whether a setting of that name holds a secret, in any client's spelling; in doubt it does."""
    return bool(_SECRET.search(name)) and not _PLACE.search(name)


def without_login(address: str) -> str:
    """Return `address` with the passwords inside it masked; any other text as it is."""
    return _QUERY.sub(rf"\1{MASK}", _LOGIN.sub(rf"\1{MASK}@", address))


def marked(name: str, value: Any) -> Any:
    """Return the value of a setting as one that is not shown, where it is a secret or has one inside."""
    if not isinstance(value, str) or isinstance(value, SecretText | AddressText):
        return value
    if value and is_secret(name):
        return SecretText(value)
    return value if without_login(value) == value else AddressText(value)


def marked_all(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings by name, each as `marked`."""
    return {name: marked(name, value) for name, value in settings.items()}


def shown(value: object) -> str:
    """Return a marked value as people may see it."""
    if isinstance(value, SecretText):
        return MASK
    if isinstance(value, AddressText):
        return without_login(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def scrubbed(text: str, settings: Iterable[object]) -> str:
    """Return what a library said, without the secrets among the marked values of `settings`."""
    for value in settings:
        if isinstance(value, SecretText):
            text = text.replace(str(value), MASK)
        elif isinstance(value, AddressText):
            for found in (*_LOGIN.findall(value), *_QUERY.findall(value)):
                text = text.replace(found[1], MASK)
    return text
