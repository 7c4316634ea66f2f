"""A real broker that is reached by TLS, with a login or with a certificate of the client."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.admin import ScramMechanism, UserScramCredentialUpsertion

from headwater.stack.broker import KafkaBroker
from headwater.stack.jars import ensure_jars
from headwater.stack.ports import free_port
from pipeline.settings import load_settings
from tests.support.certificates import certificate_of, self_signed
from tests.support.token_endpoint import (
    AUDIENCE,
    CLIENT,
    SCOPE,
    SECRET,
    TokenEndpoint,
    token_endpoint,
)

USER, PASSWORD = "team", "s3cret"
"""May do everything, as the client with the certificate may."""
LIMITED = "limited"
"""Has `PASSWORD` too, and may do what ACLs say: at first nothing. Logs in by PLAIN alone."""
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
_SECURED = """
listeners=PLAINTEXT://127.0.0.1:{plain},CONTROLLER://127.0.0.1:{controller},\\
LOGIN://127.0.0.1:{login},MUTUAL://127.0.0.1:{mutual},OPEN://127.0.0.1:{open_login}
advertised.listeners=PLAINTEXT://127.0.0.1:{plain},LOGIN://127.0.0.1:{login},\\
MUTUAL://127.0.0.1:{mutual},OPEN://127.0.0.1:{open_login}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,LOGIN:SASL_SSL,MUTUAL:SSL,\\
OPEN:SASL_PLAINTEXT
ssl.keystore.type=PEM
ssl.keystore.location={keys}
ssl.truststore.type=PEM
ssl.truststore.location={trusted}
listener.name.mutual.ssl.client.auth=required
sasl.enabled.mechanisms={mechanisms}
listener.name.login.plain.sasl.jaas.config=\\
org.apache.kafka.common.security.plain.PlainLoginModule required \\
user_{user}="{password}" user_{limited}="{password}";
listener.name.open.sasl.enabled.mechanisms=PLAIN
listener.name.open.plain.sasl.jaas.config=\\
org.apache.kafka.common.security.plain.PlainLoginModule required \\
user_{user}="{password}" user_{limited}="{password}";
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS;User:{user};User:CN=127.0.0.1;User:{client}
listener.name.login.oauthbearer.sasl.jaas.config=\\
org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;
listener.name.login.oauthbearer.sasl.server.callback.handler.class=\\
org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler
listener.name.login.oauthbearer.connections.max.reauth.ms=3600000
sasl.oauthbearer.jwt.validator.class=org.apache.kafka.common.security.oauthbearer.BrokerJwtValidator
sasl.oauthbearer.jwks.endpoint.url={keys_url}
sasl.oauthbearer.expected.audience={audience}
"""
_SCRAM = """\
listener.name.login.{name}.sasl.jaas.config=\\
org.apache.kafka.common.security.scram.ScramLoginModule required;
"""


@dataclass(frozen=True)
class Secured:
    """Where it listens, and the settings of `kafka` in a cell.json that let clients in.

    Attributes:
        plain: without TLS and login.
        login, mutual: with TLS: and one of `MECHANISMS`, and a certificate of the client.
        open_login: without TLS, and with PLAIN.
        keys: a file with a key and its certificate, which the broker trusts and has.
        trusted: a file with this certificate.
        tokens: what gives out tokens that it takes.
    """

    plain: str
    login: str
    mutual: str
    open_login: str
    keys: Path
    trusted: Path
    tokens: TokenEndpoint

    def by_token(self, secret: str = SECRET) -> Mapping[str, str]:
        """Return the settings of a client that logs in with a token; the client may do everything."""
        return {
            "security.protocol": "SASL_SSL",
            "ssl.ca.location": str(self.trusted),
            "sasl.mechanisms": "OAUTHBEARER",
            "sasl.oauthbearer.method": "oidc",
            "sasl.oauthbearer.token.endpoint.url": self.tokens.url,
            "sasl.oauthbearer.client.id": CLIENT,
            "sasl.oauthbearer.client.secret": secret,
            "sasl.oauthbearer.scope": SCOPE,
        }

    def by_login(
        self, mechanism: str, password: str = PASSWORD, user: str = USER
    ) -> Mapping[str, str]:
        """Return the settings of a client that logs in."""
        return {
            "security.protocol": "SASL_SSL",
            "ssl.ca.location": str(self.trusted),
            "sasl.mechanisms": mechanism,
            "sasl.username": user,
            "sasl.password": password,
        }

    @property
    def by_certificate(self) -> Mapping[str, str]:
        """The settings of a client that has a certificate."""
        return {
            "security.protocol": "SSL",
            "ssl.ca.location": str(self.trusted),
            "ssl.certificate.location": str(self.keys),
            "ssl.key.location": str(self.keys),
        }


@contextmanager
def secured_broker(root: Path) -> Iterator[Secured]:
    """Start one below `root`, and stop it at the end."""
    with token_endpoint() as tokens:
        yield from _started(root, tokens)


def _started(root: Path, tokens: TokenEndpoint) -> Iterator[Secured]:
    keys = self_signed(root)
    trusted = root / "trusted.pem"
    trusted.write_bytes(certificate_of(keys))
    ports = {name: free_port() for name in ("plain", "controller", "login", "mutual", "open_login")}
    scram = "".join(_SCRAM.format(name=name.lower()) for name in MECHANISMS if name != "PLAIN")
    names = {"keys": keys, "trusted": trusted, "mechanisms": ",".join((*MECHANISMS, "OAUTHBEARER"))}
    names |= {"client": CLIENT, "audience": AUDIENCE, "keys_url": tokens.keys_url}
    properties = (
        _SECURED.format(**ports, **names, user=USER, limited=LIMITED, password=PASSWORD) + scram
    )
    allowed = f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={tokens.keys_url}"
    jars = ensure_jars(load_settings().cache, "kafka", print)
    broker = KafkaBroker(
        root / "kafka",
        jars,
        ports["plain"],
        ports["controller"],
        root / "kafka.log",
        properties,
        [allowed],
    )
    process = broker.start()
    try:
        _let_in(broker.bootstrap_servers)
        at = {
            name: f"127.0.0.1:{ports[name]}" for name in ("plain", "login", "mutual", "open_login")
        }
        yield Secured(**at, keys=keys, trusted=trusted, tokens=tokens)
    finally:
        process.stop()


def _let_in(plain: str) -> None:
    with KafkaAdminClient(bootstrap_servers=plain) as admin:
        # A user stands once in a request.
        for mechanism in (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512):
            credential = UserScramCredentialUpsertion(USER, mechanism, PASSWORD)
            found = admin.alter_user_scram_credentials([credential])
            if any(found.values()):
                raise RuntimeError(found)
