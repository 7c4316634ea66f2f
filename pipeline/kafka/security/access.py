"""What a cluster that has ACLs must let a client do, and how an administrator grants it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

PAGE = "docs/how-to/secure-kafka.md"
"""Lists what each part of Headwater needs."""


class Operation(Enum):
    """An operation on a topic, as ACLs name it. Who may read or write a topic may describe it, too."""

    CREATE = "Create"
    DESCRIBE = "Describe"
    DESCRIBE_CONFIGS = "DescribeConfigs"
    READ = "Read"
    WRITE = "Write"


@dataclass(frozen=True)
class Access:
    """One operation on one topic."""

    operation: Operation
    topic: str

    @property
    def command(self) -> str:
        """What an administrator grants it by; the broker and the login's name are to be filled in."""
        return (
            "kafka-acls --bootstrap-server BROKER --add --allow-principal User:NAME"
            f" --operation {self.operation.value} --topic {self.topic}"
        )
