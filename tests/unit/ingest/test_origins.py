"""What the headers of a replayed record say of where it stood first, and when they mean nothing."""

from __future__ import annotations

import pytest

from pipeline.ingest.transform.origins import Origin, origin_header, origin_of
from pipeline.kafka.framing import ORIGIN_HEADER, REPLAY_HEADER
from pipeline.kafka.identity import TopicIdentity
from pipeline.kafka.records import RawRecord

TOPIC = TopicIdentity(topic="t", topic_id="sEq_0-xyzTAQ123456789A", cluster_id="c", partitions=(0,))


def record(origin: bytes | None, replay_id: bytes | None = b"replay-1") -> RawRecord:
    headers = ((ORIGIN_HEADER, origin), (REPLAY_HEADER, replay_id))
    return RawRecord(0, 9, 0, b"k", b"v", tuple(one for one in headers if one[1] is not None))


def test_a_replay_says_where_its_record_stood() -> None:
    said = origin_header(TOPIC.topic_id, 3, 2**40, -1)
    assert origin_of(record(said), TOPIC) == Origin(3, 2**40, -1, "replay-1")


@pytest.mark.parametrize(
    ("origin", "replay_id"),
    [
        (None, b"replay-1"),
        (b"", b"replay-1"),
        (origin_header(TOPIC.topic_id, 3, 7, 1), None),
        (origin_header(TOPIC.topic_id, 3, 7, 1), b""),
        (origin_header(TOPIC.topic_id, 3, 7, 1), b"\xff"),
        (origin_header(TOPIC.topic_id, 3, 7, 1), b"x" * 65),
        (origin_header("another-topic", 3, 7, 1), b"replay-1"),
        (origin_header(TOPIC.topic_id, 2**31, 7, 1), b"replay-1"),
        (origin_header(TOPIC.topic_id, 3, 2**63, 1), b"replay-1"),
        (origin_header(TOPIC.topic_id, 3, 7, 1) + b"/1", b"replay-1"),
        (origin_header(TOPIC.topic_id, 3, 7, 10**16), b"replay-1"),
        (origin_header(TOPIC.topic_id, 3, 7, 253_402_300_800_000), b"replay-1"),
        (origin_header(TOPIC.topic_id, 3, 7, -62_135_596_800_001), b"replay-1"),
        (f"{TOPIC.topic_id}/3/-7/1".encode(), b"replay-1"),
        (f"{TOPIC.topic_id}/3/\u0667/1".encode(), b"replay-1"),
    ],
)
def test_anything_else_is_no_replay(origin: bytes | None, replay_id: bytes | None) -> None:
    assert origin_of(record(origin, replay_id), TOPIC) is None
