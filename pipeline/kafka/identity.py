"""Which topic a topic is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TopicIdentity:
    """Which topic this is. A topic that was deleted and made again has another `topic_id`."""

    cluster_id: str
    topic: str
    topic_id: str
    partitions: tuple[int, ...]
