"""Looking for copies of an event in Kafka: in ranges of offsets that are given, for a time that is given."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

from kafka import KafkaAdminClient

from pipeline.cells import Cell
from pipeline.errors import HeadwaterError
from pipeline.kafka.connect import answering_within, client_settings, connect_admin
from pipeline.kafka.fetch import fetch
from pipeline.kafka.identity import TopicIdentity
from pipeline.kafka.network import Network
from pipeline.kafka.reachability import why_unreachable
from pipeline.kafka.record_batches import BatchSlice
from pipeline.kafka.records import RawRecord, records_in
from pipeline.kafka.tls import tls_of
from pipeline.kafka.topics import describe_topic, earliest_offsets, stable_offsets
from pipeline.tables.offsets import CommittedOffsets
from pipeline.trace.duplicates import Limits, Range, unread, waiting_ranges, within
from pipeline.trace.model import Copy, Look, Place, Search, Seen
from pipeline.trace.needles import Needles
from pipeline.trace.open_records import RecordJudge, headers_of

CONNECT_S = 2.0
"""How long the cluster may take to answer."""
_RESPONSE_BYTES = 8 * 2**20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class KafkaSearch:
    """Looks for records of one event in the topic that is ingested now.

    Attributes:
        known: partition and offset of rows and dead letters, which are no copies.
    """

    def __init__(
        self,
        cell: Cell,
        committed: CommittedOffsets,
        needles: Needles,
        judge: RecordJudge,
        known: Collection[tuple[int, int]],
        limits: Limits,
    ) -> None:
        self._cell = answering_within(cell, CONNECT_S)
        self._topic = TopicIdentity(
            committed.cluster_id, committed.topic, committed.topic_id, tuple(committed.next)
        )
        self._next = committed.next
        self._needles = needles
        self._judge = judge
        self._known = known
        self._limits = limits

    def dropped(self, ranges: Sequence[Range]) -> Search:
        """Look into ranges that count duplicates. That Kafka cannot be asked is an answer."""
        if not ranges:
            return Search()
        if self._limits.offsets == 0:
            return Search(unread(ranges, "nobody asked for it"))
        try:
            self._check_reachable()
            with connect_admin(self._cell) as admin:
                now = describe_topic(admin, self._topic.topic)
                if now.topic_id != self._topic.topic_id:
                    return Search(unread(ranges, "Kafka has another topic of this name now"))
                partitions = sorted({one.partition for one in ranges} & set(now.partitions))
                earliest = earliest_offsets(admin, self._topic.topic, partitions)
            return self._read(ranges, earliest)
        except HeadwaterError as error:
            return Search(unread(ranges, "Kafka could not be asked"), trouble=error.what)

    def waiting(self) -> Search:
        """Look at what is not ingested yet. Nothing was looked at where Kafka cannot be asked."""
        if self._limits.offsets == 0:
            return Search()
        try:
            self._check_reachable()
            with connect_admin(self._cell) as admin:
                now = describe_topic(admin, self._topic.topic)
                if now.topic_id != self._topic.topic_id:
                    return Search()
                ends = stable_offsets(admin, self._topic.topic, now.partitions)
                earliest = earliest_offsets(admin, self._topic.topic, now.partitions)
            return self._read(waiting_ranges(self._next, ends), earliest)
        except HeadwaterError as error:
            return Search(trouble=error.what)

    def _check_reachable(self) -> None:
        """Raise at once what the client would try again for a while, and log at each try."""
        tls = tls_of(
            client_settings(self._cell, KafkaAdminClient.DEFAULT_CONFIG), f"cell {self._cell.name}"
        )
        error = why_unreachable(self._cell.bootstrap_servers, tls, CONNECT_S)
        if error is not None:
            raise error

    def _read(self, ranges: Sequence[Range], earliest: dict[int, int]) -> Search:
        wanted, looks = within(ranges, earliest, self._limits.offsets)
        looked, copies = list(looks), list[Copy]()
        seconds = self._limits.seconds
        until = None if seconds is None else time.monotonic() + seconds
        with Network(self._cell) as network:
            for number, one in enumerate(wanted):
                if until is not None and time.monotonic() >= until:
                    looked += unread(wanted[number:], "beyond the bound on time")
                    break
                try:
                    end = self._read_range(network, one, until, copies)
                except HeadwaterError as error:
                    looked += unread([one], error.what.rstrip("."))
                    continue
                looked.append(Look(one.partition, one.start, end, Seen.READ, one.commit))
                if end < one.end:
                    rest = Range(one.partition, end, one.end, one.commit)
                    looked += unread([rest], "beyond the bound on time")
        return Search(tuple(one for one in looked if one.start < one.end), tuple(copies))

    def _read_range(
        self, network: Network, wanted: Range, until: float | None, copies: list[Copy]
    ) -> int:
        """Add the copies of a range; return the first offset that was not read."""
        position = wanted.start
        ranges = {wanted.partition: (wanted.start, wanted.end)}
        for fetched in fetch(network, self._topic, ranges, response_bytes=_RESPONSE_BYTES):
            for one in fetched.ranges:
                for item in one.items:
                    if isinstance(item, BatchSlice):
                        copies += self._copies(item, wanted)
            position = fetched.positions[wanted.partition]
            if until is not None and time.monotonic() >= until:
                break
        return position

    def _copies(self, batch: BatchSlice, wanted: Range) -> list[Copy]:
        if not self._needles.are_in(batch.records()):
            return []
        records = records_in([batch])
        found = (records.record(number) for number in range(len(records)))
        return [copy for one in found if (copy := self._copy(one, wanted)) is not None]

    def _copy(self, record: RawRecord, wanted: Range) -> Copy | None:
        held = (record.value, record.key, *(value for _, value in record.headers))
        if (record.partition, record.offset) in self._known or not any(
            map(self._needles.are_in, held)
        ):
            return None
        match = self._judge.judge(record, self._topic)
        if match is None:
            return None
        place = Place(self._topic.topic_id, record.partition, record.offset)
        at = _EPOCH + timedelta(microseconds=record.record_time)
        return Copy(place, at, headers_of(record), match, wanted.commit)
