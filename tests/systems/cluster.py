"""A Kafka cluster as a company has it: TLS by an authority of its own, SCRAM, and ACLs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ResourcePattern,
    ResourceType,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from headwater.stack.broker import KafkaBroker
from headwater.stack.jars import ensure_jars
from headwater.stack.ports import free_port
from pipeline.settings import load_settings
from tests.support.acls import NEEDS
from tests.support.certificates import signed_by_authority

USER = "headwater"
_PROPERTIES = """
listeners=PLAINTEXT://127.0.0.1:{plain},CONTROLLER://127.0.0.1:{controller},LOGIN://127.0.0.1:{login}
advertised.listeners=PLAINTEXT://127.0.0.1:{plain},LOGIN://127.0.0.1:{login}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,LOGIN:SASL_SSL
ssl.keystore.type=PEM
ssl.keystore.location={keys}
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.login.scram-sha-512.sasl.jaas.config=\\
org.apache.kafka.common.security.scram.ScramLoginModule required;
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
"""
"""Without TLS comes the administrator alone."""


@dataclass(frozen=True)
class Cluster:
    """One that runs.

    Attributes:
        servers: where `USER` logs in.
        authority: the file with the certificate of who signed the broker's.
    """

    servers: str
    authority: Path
    _plain: str

    def let_in(self, password: str, topic: str) -> None:
        """Give `USER` a password, and on `topic` just what docs/how-to/secure-kafka.md lists."""
        operations = {ACLOperation[one.name] for part in NEEDS.values() for one in part}
        place, allow = ResourcePattern(ResourceType.TOPIC, topic), ACLPermissionType.ALLOW
        with KafkaAdminClient(bootstrap_servers=self._plain) as admin:
            login = UserScramCredentialUpsertion(USER, ScramMechanism.SCRAM_SHA_512, password)
            refused = admin.alter_user_scram_credentials([login])
            if any(refused.values()):
                raise RuntimeError(refused)
            # Who may read or write may describe, too.
            asked = operations - {ACLOperation.DESCRIBE}
            admin.create_acls([ACL(f"User:{USER}", "*", one, allow, place) for one in asked])


@contextmanager
def running_cluster(root: Path) -> Iterator[Cluster]:
    """Start one below `root`, and stop it at the end."""
    root.mkdir()
    keys, authority = signed_by_authority(root)
    ports = {name: free_port() for name in ("plain", "controller", "login")}
    jars = ensure_jars(load_settings().cache, "kafka", print)
    properties = _PROPERTIES.format(**ports, keys=keys)
    log = root / "kafka.log"
    broker = KafkaBroker(root / "kafka", jars, ports["plain"], ports["controller"], log, properties)
    process = broker.start()
    try:
        yield Cluster(f"127.0.0.1:{ports['login']}", authority, broker.bootstrap_servers)
    finally:
        process.stop()
