"""An OIDC provider's token endpoint and keys, on loopback."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs

from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.support.http_here import QuietHandler, serving

CLIENT, SECRET = "headwater", "tok3n"
AUDIENCE, SCOPE = "kafka", "events"


@dataclass
class TokenEndpoint:
    """What it answers: tokens for `CLIENT` and `SCOPE` where the secret is right, unless `status` is another.

    Attributes:
        address: where it listens.
        life_s: from now on a token lives so long; where that is negative it has expired.
        status: of its answers to a client that is in the right.
        is_foreign: whether tokens are signed by a key that nobody knows.
        given: how many tokens it has given out.
    """

    address: str = ""
    life_s: float = 600
    status: int = 200
    is_foreign: bool = False
    given: int = 0
    keys: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "known"}))
    stranger: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "known"}))

    @property
    def url(self) -> str:
        """Of tokens."""
        return f"{self.address}/token"

    @property
    def keys_url(self) -> str:
        """Of the keys that tokens are signed by."""
        return f"{self.address}/keys"

    def answer(self, authorization: str, form: dict[str, list[str]]) -> tuple[int, dict[str, Any]]:
        """Return status and document for who asks."""
        wanted = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if authorization != f"Basic {wanted}":
            return 401, {"error": "invalid_client", "error_description": "no such client"}
        if form.get("grant_type") != ["client_credentials"] or form.get("scope") != [SCOPE]:
            return 400, {"error": "invalid_scope"}
        if self.status != 200:
            return self.status, {}
        self.given += 1
        now = time.time()
        claims = {"sub": CLIENT, "aud": AUDIENCE, "scope": SCOPE, "iat": int(now) - 60}
        key = self.stranger if self.is_foreign else self.keys
        claims |= {"exp": int(now + self.life_s)}
        token = jwt.encode({"alg": "RS256", "kid": "known"}, claims, key)
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": int(self.life_s)}


@contextmanager
def token_endpoint() -> Iterator[TokenEndpoint]:
    """Serve one until the end."""
    endpoint = TokenEndpoint()

    class Handler(QuietHandler, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._say(200, {"keys": [endpoint.keys.as_dict(private=False)]})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._say(*endpoint.answer(self.headers.get("Authorization", ""), parse_qs(body)))

        def _say(self, status: int, document: object) -> None:
            self.answer_json(status, json.dumps(document).encode())

    with serving(Handler) as endpoint.address:
        yield endpoint
