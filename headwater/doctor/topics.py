"""Topics: whether each product's is there, and what the cell's login may do on it."""

from __future__ import annotations

from kafka import KafkaAdminClient

from headwater.doctor.kafka import quick
from headwater.doctor.model import Finding, Setup, well, wrong
from pipeline.errors import HeadwaterError
from pipeline.kafka.connect import connect_admin
from pipeline.kafka.errors import KafkaAccessError
from pipeline.kafka.security.access import Access, Operation
from pipeline.kafka.topics import require_access

TOPICS = "topics"
_INGEST = Operation.READ
_OTHERS = (Operation.WRITE, Operation.DESCRIBE_CONFIGS)
"""A host that only ingests has no need of them: see docs/how-to/secure-kafka.md."""


def ask(setup: Setup) -> tuple[Finding, ...]:
    """Ask for every product's topic what ingest needs; of what producing needs it is told alone."""
    if not setup.products:
        return (well(TOPICS, f"cell {setup.cell.name}", "no product lives here."),)
    with connect_admin(quick(setup.cell)) as admin:
        return tuple(_of(admin, product.topic.name) for product in setup.products)


def _of(admin: KafkaAdminClient, topic: str) -> Finding:
    try:
        require_access(admin, Access(_INGEST, topic))
    except HeadwaterError as error:
        return wrong(TOPICS, error)
    lacking = [one.value for one in _OTHERS if not _may(admin, Access(one, topic))]
    more = f", and not {' and '.join(lacking)}, which producing needs" if lacking else ""
    return well(TOPICS, f"topic {topic}", f"the login may {_INGEST.value} it{more}.")


def _may(admin: KafkaAdminClient, access: Access) -> bool:
    try:
        require_access(admin, access)
    except KafkaAccessError:
        return False
    return True
