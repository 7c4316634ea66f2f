"""Reading exactly given ranges of offsets, and knowing how far each partition has been passed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord
from kafka.errors import (
    CorruptRecordError,
    KafkaError,
    LogTruncationError,
    OffsetOutOfRangeError,
)

from pipeline.errors import RetryableError, TerminalError
from pipeline.kafka.connect import named_errors

STALL_S = 15.0
"""How long a fetch may make no progress in any partition before it is given up."""
_POLL_MS = 500


class OffsetsLostError(TerminalError):
    """Offsets that were asked for are not in Kafka any more."""


class RecordsCorruptError(TerminalError):
    """A record batch does not match its checksum, or cannot be parsed."""


class FetchStalledError(RetryableError):
    """The broker gave no more records before the end of a range."""


@dataclass(frozen=True)
class Fetched:
    """What one fetch brought.

    Attributes:
        records: partition -> its records in the order of offsets. Each has `offset`, `key`, `value`
            (None is a tombstone), `headers`, `timestamp` (ms) and `timestamp_type` (0 the producer's,
            1 the broker's). May be empty.
        positions: for every partition asked for, the first offset that has not been passed, at most its
            range's end. An offset below it that was never delivered holds no committed record: it is a
            transaction's marker or aborted record, or was compacted away.
    """

    records: Mapping[int, list[ConsumerRecord]]
    positions: Mapping[int, int]


def fetch(
    consumer: KafkaConsumer,
    topic: str,
    ranges: Mapping[int, tuple[int, int]],
    *,
    stall_s: float = STALL_S,
) -> Iterator[Fetched]:
    """Yield the committed records of [start, end) of each partition, and end when all are passed.

    Yields about twice a second even when nothing arrives, so that the caller can stop. Ends must not lie
    above the last stable offset, or they are never passed. The consumer must come from
    `connect_consumer`; it may be used for several fetches, one at a time, and may be closed at any time.
    Whether the topic still has the identity it was planned with is not looked at.

    Raises:
        ValueError: a range ends before it starts.
        OffsetsLostError: an offset of a range was deleted, or the log was cut below it.
        RecordsCorruptError: a batch's checksum is wrong.
        FetchStalledError: no partition made progress for `stall_s` seconds.
        KafkaAccessError: the cluster refused the access.
    """
    for partition, (start, end) in ranges.items():
        if not 0 <= start <= end:
            raise ValueError(f"partition {partition}: {start}..{end} is not a range")
    ends = {TopicPartition(topic, p): end for p, (start, end) in ranges.items() if start < end}
    positions = {p: start for p, (start, _) in ranges.items()}
    if not ends:
        return
    consumer.assign(list(ends))
    for tp in ends:
        consumer.seek(tp, positions[tp.partition])
    consumer.resume(*ends)
    moved = time.monotonic()
    while ends:
        before = dict(positions)
        records, reached = _poll(consumer, ends)
        for tp, position in reached.items():
            positions[tp.partition] = min(position, ends[tp])
            if position >= ends[tp]:
                consumer.pause(tp)
                del ends[tp]
        yield Fetched(records, dict(positions))
        if positions != before:
            # From here, not from before the caller's own work.
            moved = time.monotonic()
        elif time.monotonic() - moved > stall_s:
            raise _stalled(topic, ends, positions, stall_s)


def _poll(
    consumer: KafkaConsumer, ends: Mapping[TopicPartition, int]
) -> tuple[dict[int, list[ConsumerRecord]], dict[TopicPartition, int]]:
    """Return the records below their ends, and the positions after them."""
    topic = next(iter(ends)).topic
    try:
        with named_errors(f"topic {topic}"):
            polled = consumer.poll(timeout_ms=_POLL_MS)
            # A position that was sought is always known: there is nothing to wait for.
            positions = {tp: int(consumer.position(tp, timeout_ms=0)) for tp in ends}
    except OffsetOutOfRangeError as error:
        raise _lost(topic, str(error)) from error
    except LogTruncationError as error:
        raise _lost(topic, f"the log was cut: {error.divergent_offsets}") from error
    except CorruptRecordError as error:
        raise RecordsCorruptError(
            f"{error}.",
            subject=f"topic {topic}",
            remedy="Restore the partition from a replica, or accept the loss of its offsets.",
        ) from error
    except KafkaError as error:
        raise FetchStalledError(
            f"the fetch failed ({error}).",
            subject=f"topic {topic}",
            remedy="Try again.",
        ) from error
    wanted: dict[int, list[ConsumerRecord]] = {}
    for tp, records in polled.items():
        end = ends.get(tp)
        if end is None:
            continue
        if records[-1].offset >= end:
            records = [record for record in records if record.offset < end]
        if records:
            wanted[tp.partition] = records
    return wanted, positions


def _lost(topic: str, detail: str) -> OffsetsLostError:
    return OffsetsLostError(
        f"offsets that were to be read are not there any more ({detail}).",
        subject=f"topic {topic}",
        remedy="Restore them, or book them as lost with `headwater ingest accept-loss`.",
    )


def _stalled(
    topic: str,
    ends: Mapping[TopicPartition, int],
    positions: Mapping[int, int],
    stall_s: float,
) -> FetchStalledError:
    behind = ", ".join(
        f"partition {tp.partition} at {positions[tp.partition]} of {end}"
        for tp, end in sorted(ends.items())
    )
    return FetchStalledError(
        f"no progress for {stall_s:g} s: {behind}.",
        subject=f"topic {topic}",
        remedy="Check the broker with `headwater status`, then try again.",
    )
