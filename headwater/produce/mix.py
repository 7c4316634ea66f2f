"""Strewing late events, duplicates and poison among events. Sends nothing, reads no clock."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from headwater.produce.event_time import event_time_field
from headwater.produce.model import REASONS, Event, Kind, Planned, Shares
from pipeline.avro.field_path import with_value
from pipeline.contract.model import Product

SECOND = 1_000_000
MAX_LARGE = 4
"""Most records over the size limit that one mixer makes: each is a megabyte."""
REPEAT_S = 600.0
"""A duplicate comes at most this long after what it repeats."""


@dataclass(frozen=True)
class Mixture:
    """How many records of each sort a block holds; `events` of them have a uuid of their own."""

    records: int
    late: int
    duplicates: int
    poison: int

    @property
    def events(self) -> int:
        """Events that it takes: a duplicate repeats one of them."""
        return self.records - self.duplicates


class Mixer:
    """Mixes block after block, so that shares hold over all of them. The same seed mixes the same."""

    def __init__(self, shares: Shares, product: Product, seed: int) -> None:
        """Mix events of `product`.

        Raises:
            ValueError: late events are asked for where its gates know none, or duplicates where nothing in an
                event tells them.
        """
        if shares.late and product.gates.late_s is None:
            raise ValueError(
                "the contract's freshness gate is strict: a late event would be poison"
            )
        if shares.duplicates and not product.topic.envelope and product.uuid is None:
            raise ValueError("the contract names no `uuid`: every record is an event of its own")
        self._shares = shares
        self._gates = product.gates
        self._field, self._to_field = product.event_time, event_time_field(product)
        self._rng = np.random.default_rng((seed, 1))
        self._taken = Mixture(0, 0, 0, 0)
        self._kinds = _poison_kinds(product)

    def take(self, records: int) -> Mixture:
        """Return the mixture of the next `records`: all taken so far have the shares asked for."""
        before = self._taken
        total = before.records + records
        after = Mixture(
            total,
            round(total * self._shares.late),
            round(total * self._shares.duplicates),
            round(total * self._shares.poison),
        )
        self._taken = after
        return Mixture(
            records,
            after.late - before.late,
            after.duplicates - before.duplicates,
            after.poison - before.poison,
        )

    def mix(self, events: Sequence[Event], mixture: Mixture, now: int) -> list[Planned]:
        """Return the records of `mixture`, by record time; `now` is in microseconds since the epoch.

        Plain events arrive within 3 s and not after `now`, or when they happen if that is later. Late
        ones arrive after the freshness gate and within what the gates allow, not after `now`; where
        there is no room for that, they happened earlier than the event given. A duplicate comes after
        what it repeats. Poison takes events of its own, which are nothing else. A block without a
        valid event has no duplicates.

        Raises:
            ValueError: not as many events as the mixture takes.
        """
        if len(events) != mixture.events:
            raise ValueError(f"{len(events)} events, not {mixture.events}")
        rng = self._rng
        marks: list[Kind] = [Kind.VALID] * len(events)
        order = rng.permutation(len(events))
        for place, kind in zip(order[: mixture.poison], self._kinds, strict=False):
            marks[place] = kind
        for place in order[mixture.poison : mixture.poison + mixture.late]:
            marks[place] = Kind.LATE
        latency = np.minimum(rng.gamma(2.0, 0.25, len(events)), 3.0) * SECOND
        planned = [
            self._plan(event, kind, int(delay), now)
            for event, kind, delay in zip(events, marks, latency, strict=True)
        ]
        originals = [record for record in planned if record.kind in (Kind.VALID, Kind.LATE)]
        if originals:
            places = rng.integers(0, len(originals), mixture.duplicates)
            planned.extend(self._repeat(originals[place], now) for place in places)
        # Stable: of equal times, the original stays before what repeats it.
        planned.sort(key=lambda record: record.record_time)
        return planned

    def _repeat(self, original: Planned, now: int) -> Planned:
        # Past the gates it would not be a duplicate but a dead letter.
        age = (original.record_time - original.event.event_time) / SECOND
        longest = min(REPEAT_S, max(0.0, (self._gates.late_s or 0.0) * 0.95 - age))
        # Mostly at once, as a producer's retry; sometimes after minutes, as a job's.
        wait = 0.0 if self._rng.random() < 0.7 else self._rng.random() * longest
        arrives = min(original.record_time + int(wait * SECOND), max(now, original.record_time))
        return Planned(Kind.DUPLICATE, arrives, original.event)

    def _plan(self, event: Event, kind: Kind, latency: int, now: int) -> Planned:
        arrives = min(event.event_time + latency, max(now, event.event_time))
        gates = self._gates
        match kind:
            case Kind.LATE:
                return self._late(event, now)
            case Kind.TOO_LATE:
                oldest = gates.freshness_s if gates.late_s is None else gates.late_s
                age = int((oldest + 60 + self._rng.random() * 3_600) * SECOND)
                return Planned(kind, arrives, self._moved(event, arrives - age))
            case Kind.AHEAD:
                ahead = int((gates.ahead_s + 60 + self._rng.random() * 3_600) * SECOND)
                return Planned(kind, arrives, self._moved(event, arrives + ahead))
            case _:
                return Planned(kind, arrives, event)

    def _late(self, event: Event, now: int) -> Planned:
        # Well inside the limits, so that no rounding of times crosses one.
        shortest = self._gates.freshness_s * 1.5
        longest = max(shortest, (self._gates.late_s or 0.0) * 0.9)
        room = (now - event.event_time) / SECOND
        if room >= shortest:
            longest = min(longest, room)
        # As many delays of minutes as of hours.
        seconds = math.exp(self._rng.uniform(math.log(shortest), math.log(longest)))
        delay = int(seconds * SECOND)
        if room >= shortest:
            return Planned(Kind.LATE, event.event_time + delay, event)
        return Planned(Kind.LATE, event.event_time, self._moved(event, event.event_time - delay))

    def _moved(self, event: Event, event_time: int) -> Event:
        payload = with_value(event.payload, self._field, self._to_field(event_time))
        return Event(event.key, event.uuid, event_time, payload)


def _poison_kinds(product: Product) -> Iterator[Kind]:
    """Yield kinds of poison in turn, for ever; the large kind only a few times."""
    # Without an envelope the payload alone says what the key is; without ids no framing could be wrong; a
    # change without a value is a tombstone.
    bare = () if product.topic.envelope else (Kind.NULL_KEY, Kind.WRONG_ENVELOPE)
    whole = (Kind.NO_VALUE,) if product.topic.debezium else ()
    unframed = (Kind.BAD_MAGIC, Kind.UNKNOWN_SCHEMA) if not product.topic.has_schema_ids else ()
    small = [kind for kind in REASONS if kind not in (Kind.TOO_LARGE, *bare, *unframed, *whole)]
    for turn in itertools.count():
        yield from small
        if turn < MAX_LARGE:
            yield Kind.TOO_LARGE
