"""Checks of offsets before they are read: to go on would lose or double records without a word."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.errors import TerminalError
from pipeline.kafka.identity import TopicIdentity
from pipeline.tables.offsets import CommittedOffsets


class ClusterChangedError(TerminalError):
    """The tables hold offsets of another Kafka cluster."""


class TopicRecreatedError(TerminalError):
    """The topic was deleted and created again since the last commit."""


class OffsetsAheadError(TerminalError):
    """The committed offset lies beyond the end of the partition."""


class RetentionPassedError(TerminalError):
    """Kafka deleted records that were never ingested."""


def check_same_topic(subject: str, found: TopicIdentity, committed: CommittedOffsets) -> None:
    """Refuse offsets `committed` of another topic than `found`.

    Raises:
        ClusterChangedError, TopicRecreatedError: they are another's.
    """
    if committed.cluster_id != found.cluster_id:
        raise ClusterChangedError(
            f"its tables hold offsets of cluster {committed.cluster_id}, "
            f"and this is cluster {found.cluster_id}.",
            subject=subject,
            remedy="Point the cell at the cluster it was filled from, or use a new cell.",
        )
    if (committed.topic, committed.topic_id) != (found.topic, found.topic_id):
        raise TopicRecreatedError(
            f"its tables hold offsets of topic {committed.topic} ({committed.topic_id}), "
            f"and the topic is now {found.topic} ({found.topic_id}).",
            subject=subject,
            remedy="Offsets of the two cannot be compared: ingest the new topic under a new product.",
        )


def check_offsets_available(
    subject: str,
    committed: Mapping[int, int],
    earliest: Mapping[int, int],
    stable: Mapping[int, int],
) -> None:
    """Refuse a committed offset of some partition that is outside what Kafka holds.

    Raises:
        OffsetsAheadError: Kafka ends before it.
        RetentionPassedError: Kafka begins after it.
    """
    for partition, offset in committed.items():
        if stable[partition] < offset:
            raise OffsetsAheadError(
                f"{offset} is committed, but the partition ends at {stable[partition]}: "
                "the cluster lost records that were already ingested.",
                subject=f"{subject} partition {partition}",
                remedy="Restore the partition; ingest would take new records for old ones.",
            )
        if earliest[partition] > offset:
            raise RetentionPassedError(
                f"offsets {offset}..{earliest[partition]} were deleted before they were ingested.",
                subject=f"{subject} partition {partition}",
                remedy="If they cannot be restored, record them as lost with `headwater ingest accept-loss"
                f" ... --partition {partition} --offsets {offset}..{earliest[partition]} --reason WHY`.",
            )
