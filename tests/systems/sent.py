"""What was sent to a topic, kept to be compared with what is in the tables."""

from __future__ import annotations

import random
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import headwater
from pipeline.clock import hour_of
from tests.support.load import POISON, SMALL_POISON, TopicWriter

DUPLICATE_EVERY = 10
SENSORS = 7
Reading = tuple[str, datetime, int, str | None]
"""Sensor, time, value, note."""


@dataclass
class Sent:
    """All that was sent.

    Attributes:
        events: by uuid.
        duplicates: records that repeated one of them.
        reasons: dead letters that the others must become, by reason.
    """

    events: dict[str, Reading] = field(default_factory=dict)
    duplicates: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def send(
        self,
        cell: headwater.Cell,
        product: headwater.Product,
        hours: Sequence[datetime],
        count: int,
        *,
        poison: bool = False,
    ) -> None:
        """Send `count` new events over `hours`, duplicates between them; with `poison` one record a kind.

        The topic is made if it is not there. What was sent by this is in Kafka once it returns.
        """
        headwater.ensure_topic(cell, product)
        chance = random.Random(len(self.events))  # noqa: S311 - repeatable, not secret
        with headwater.EventWriter(cell, product, headwater.open_registry(cell)) as writer:
            for number in range(count):
                at = chance.choice(hours) + timedelta(seconds=chance.randrange(3600))
                sensor = f"sensor-{number % SENSORS}"
                note = None if number % 3 else f"note {number}"
                reading = (sensor, at, chance.randrange(1_000_000), note)
                name = str(uuid.UUID(int=chance.getrandbits(128), version=4))
                for _ in range(2 if number % DUPLICATE_EVERY == 0 else 1):
                    _write(writer, name, reading)
                self.events[name] = reading
        self.duplicates += -(-count // DUPLICATE_EVERY)
        if poison:
            topic = TopicWriter(cell, product, seed=len(self.events))
            topic.send([topic.poison(kind) for kind in SMALL_POISON])
            self.reasons.update(POISON[kind] for kind in SMALL_POISON)

    @property
    def by_hour(self) -> dict[tuple[datetime, str], tuple[int, int]]:
        """Readings and their sum, by hour and sensor."""
        found: dict[tuple[datetime, str], tuple[int, int]] = {}
        for sensor, at, value, _ in self.events.values():
            readings, total = found.get((hour_of(at), sensor), (0, 0))
            found[hour_of(at), sensor] = (readings + 1, total + value)
        return found


def _write(writer: headwater.EventWriter, name: str, reading: Reading) -> None:
    sensor, at, value, note = reading
    micros = int(at.timestamp() * 1_000_000)
    payload = {"sensor": sensor, "at": micros, "value": value, "note": note}
    writer.send(payload, key=sensor, event_time=micros, uuid=name)
