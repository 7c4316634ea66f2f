"""Facets of Headwater's own, whose schemas are in docs/reference/openlineage/."""

from __future__ import annotations

import attr
from openlineage.client.facet_v2 import InputDatasetFacet, JobFacet, OutputDatasetFacet
from openlineage.client.utils import RedactMixin

KAFKA_OFFSETS, GATES, CONTRACT = (
    "headwater_kafkaOffsets",
    "headwater_gates",
    "headwater_contract",
)
"""The names that they have in events."""


def schema_url(kind: str) -> str:
    """Return where the schema of a facet is: an identifier, which docs/how-to/openlineage.md resolves."""
    return f"urn:headwater:openlineage:1-0-0:{kind}.json#/$defs/{kind}"


@attr.define
class PartitionOffsets(RedactMixin):
    """The offsets [start, end) of one partition."""

    partition: int
    start: int
    end: int


@attr.define
class KafkaOffsetsInputDatasetFacet(InputDatasetFacet):
    """Which offsets of a topic a run has read, and committed."""

    topic: str
    partitions: list[PartitionOffsets]
    topicId: str | None = attr.field(default=None)  # noqa: N815 - as all names there

    @staticmethod
    def _get_schema() -> str:
        return schema_url("KafkaOffsetsInputDatasetFacet")


@attr.define
class GatesOutputDatasetFacet(OutputDatasetFacet):
    """What became of the records that a run has read, at the contract's gates."""

    rows: int
    duplicates: int
    deadLetters: int  # noqa: N815
    gaps: int
    late: int
    invalid: int
    outOfOrder: int  # noqa: N815
    deadLettersByReason: dict[str, int]  # noqa: N815
    invalidByRule: dict[str, int]  # noqa: N815

    @staticmethod
    def _get_schema() -> str:
        return schema_url("GatesOutputDatasetFacet")


@attr.define
class ContractJobFacet(JobFacet):
    """The contract that a job follows."""

    product: str
    version: str

    @staticmethod
    def _get_schema() -> str:
        return schema_url("ContractJobFacet")
