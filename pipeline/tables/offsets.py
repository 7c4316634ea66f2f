"""The committed offsets: one table property, written in the commit that adds their rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pyiceberg.table import Table

from pipeline.tables.versioned_property import parse_property

PROPERTY = "headwater.offsets"
FORMAT_VERSION = 1


@dataclass(frozen=True)
class CommittedOffsets:
    """What a table holds of one topic.

    Attributes:
        cluster_id, topic, topic_id: the topic's identity; a recreated topic has another id.
        first: partition -> the first offset that was ever in scope (inclusive).
        next: partition -> the first offset that is not in the table yet (exclusive end).
        snapshot_id: the snapshot that the writing commit made.
        committed_at: when it was made, UTC.
    """

    cluster_id: str
    topic: str
    topic_id: str
    first: Mapping[int, int]
    next: Mapping[int, int]
    snapshot_id: int
    committed_at: datetime

    def to_json(self) -> str:
        """Return the property's text: keys sorted, so that equal offsets are equal text."""
        return json.dumps(
            {
                "format": FORMAT_VERSION,
                "cluster_id": self.cluster_id,
                "topic": self.topic,
                "topic_id": self.topic_id,
                "first": {str(p): o for p, o in sorted(self.first.items())},
                "next": {str(p): o for p, o in sorted(self.next.items())},
                "snapshot_id": self.snapshot_id,
                "committed_at": self.committed_at.isoformat(),
            },
            sort_keys=True,
        )

    @staticmethod
    def from_json(text: str) -> CommittedOffsets:
        """Parse the property's text.

        Raises:
            PropertyNewerError: the text is of a newer format.
        """
        document = parse_property(PROPERTY, text, FORMAT_VERSION)
        return CommittedOffsets(
            cluster_id=document["cluster_id"],
            topic=document["topic"],
            topic_id=document["topic_id"],
            first={int(p): o for p, o in document["first"].items()},
            next={int(p): o for p, o in document["next"].items()},
            snapshot_id=document["snapshot_id"],
            committed_at=datetime.fromisoformat(document["committed_at"]),
        )


def committed_offsets(table: Table) -> CommittedOffsets | None:
    """Return what `table` says it holds, or None before its first commit."""
    text = table.properties.get(PROPERTY)
    return None if text is None else CommittedOffsets.from_json(text)
