"""What ACLs of the secured broker let its limited user do."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable

from kafka import KafkaAdminClient
from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ResourcePattern,
    ResourceType,
)

from pipeline.kafka.security.access import PAGE, Operation
from pipeline.settings import PROJECT
from tests.support.secured_broker import LIMITED, Secured

PRINCIPAL = f"User:{LIMITED}"
NEEDS = {
    part: {Operation(one) for one in re.findall(r"`(\w+)`", operations)}
    for part, operations in re.findall(
        r"^\| ([\w ]+) \| [^|]+ \| ([^|]+) \|$", (PROJECT / PAGE).read_text(), re.MULTILINE
    )
    if "`" in operations
}
"""Part of Headwater -> the operations that the page lists for it."""


def permit(secured: Secured, topic: str, operations: Iterable[Operation]) -> None:
    """Let the user do exactly `operations` on `topic`; the broker goes by it once this returns."""
    wanted = {ACLOperation[one.name] for one in operations}
    place = ResourcePattern(ResourceType.TOPIC, topic)
    every = ACLFilter(PRINCIPAL, "*", ACLOperation.ANY, ACLPermissionType.ANY, place)
    with KafkaAdminClient(bootstrap_servers=secured.plain) as admin:
        admin.delete_acls([every])
        if wanted:
            allow = ACLPermissionType.ALLOW
            admin.create_acls([ACL(PRINCIPAL, "*", one, allow, place) for one in wanted])
        deadline = time.monotonic() + 30
        while {one.operation for one in admin.describe_acls(every)[0]} != wanted:
            assert time.monotonic() < deadline
            time.sleep(0.02)
