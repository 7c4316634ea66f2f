"""Tells Dagster how far the topic and the table are: the watermark and the topic's offsets."""

from datetime import timedelta

import dagster as dg

from assets.keys import Keys
from pipeline.cells import CellNotFoundError
from pipeline.errors import HeadwaterError
from quality.freshness import Freshness, look
from quality.objectives import freshness_objective
from resources.cell import CellResource

INTERVAL_S = 60


def watermark_sensor(keys: Keys) -> dg.SensorDefinition:
    """Return the sensor that measures the event lag once a minute.

    It observes the topic, and materializes the watermark while the lag is within the SLO.
    """
    limit = freshness_objective(keys.product)

    @dg.sensor(
        name=keys.name("watermark"),
        minimum_interval_seconds=INTERVAL_S,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Measures the event lag and compares it with the freshness SLO.",
        tags=keys.tags,
    )
    def measure(cell: CellResource) -> dg.SensorResult:
        try:
            seen = look(cell.load(), keys.product)
        except CellNotFoundError as error:
            return dg.SensorResult(skip_reason=str(error))
        except HeadwaterError as error:
            return dg.SensorResult(skip_reason=f"Not measured. {error}")
        events: list[dg.AssetObservation | dg.AssetMaterialization] = [_observation(keys, seen)]
        if limit is not None and seen.lag <= limit:
            events.append(_materialization(keys, seen, limit))
        return dg.SensorResult(asset_events=events)

    return measure


def _observation(keys: Keys, seen: Freshness) -> dg.AssetObservation:
    ends = [
        dg.TableRecord({"partition": p, "last stable offset": end})
        for p, end in sorted(seen.ends.items())
    ]
    return dg.AssetObservation(
        keys.topic,
        metadata={"offsets": dg.MetadataValue.table(ends), "waiting (records)": seen.waiting},
    )


def _materialization(keys: Keys, seen: Freshness, limit: timedelta) -> dg.AssetMaterialization:
    return dg.AssetMaterialization(
        keys.watermark,
        metadata={
            "event lag (s)": seen.lag.total_seconds(),
            "objective (s)": limit.total_seconds(),
            "waiting (records)": seen.waiting,
            "looked at": dg.MetadataValue.timestamp(seen.looked_at),
        },
    )
