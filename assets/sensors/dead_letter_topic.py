"""Feeds the topic of dead letters of a product whose contract names one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from assets.keys import Keys
from pipeline.cells import CellNotFoundError
from pipeline.errors import HeadwaterError
from resources.cell import CellResource

if TYPE_CHECKING:
    from pipeline.dead_letters.topic.feed import FeedResult

INTERVAL_S = 60
MOST = 20_000
"""Records of one tick, which has to end within a minute; the next one sends more."""


def feeds_dead_letters(keys: Keys) -> dg.SensorDefinition:
    """Return the sensor that feeds the topic once a minute, and materializes it where something was sent.

    No run is launched: that would cost more than what is to be done. Where no dead letter has come or
    changed, tables' metadata is read alone.
    """

    @dg.sensor(
        name=keys.name("dead_letter_topic"),
        minimum_interval_seconds=INTERVAL_S,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Sends dead letters that are open to their topic, and tombstones of those that are not.",
        tags=keys.tags,
    )
    def sense(cell: CellResource) -> dg.SensorResult:
        # What Kafka's clients import is only for who has such a topic.
        from pipeline.dead_letters.topic.feed import feed_topic

        try:
            done = feed_topic(cell.load(), keys.product, by="Dagster", most=MOST)
        except CellNotFoundError as error:
            return dg.SensorResult(skip_reason=str(error))
        except HeadwaterError as error:
            return dg.SensorResult(skip_reason=f"Nothing is fed. {error}")
        if not done.shown and not done.withdrawn:
            return dg.SensorResult(skip_reason="No dead letter has come or changed.")
        return dg.SensorResult(asset_events=[_materialization(keys, done)])

    return sense


def _materialization(keys: Keys, done: FeedResult) -> dg.AssetMaterialization:
    return dg.AssetMaterialization(
        keys.dead_letter_topic,
        metadata={
            "topic": done.topic,
            "records sent": done.shown,
            "tombstones sent": done.withdrawn,
            "records left": done.left,
            "open dead letters": done.open or 0,
        },
    )
