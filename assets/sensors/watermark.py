"""Tells Dagster how far topic and tables are: the watermarks and the topic's offsets."""

from datetime import timedelta

import dagster as dg

from assets.keys import Keys
from pipeline.cells import Cell, CellNotFoundError
from pipeline.contract.objectives import freshness_objective
from pipeline.errors import HeadwaterError
from pipeline.latency.measure import Latency, alert_missed, measure_latency
from quality.freshness import Freshness, measure_freshness
from resources.cell import CellResource

INTERVAL_S = 60


def watermark_sensor(keys: Keys) -> dg.SensorDefinition:
    """Return the sensor that measures event lag and overdue hours once a minute.

    It observes the topic, materializes the watermark while the lag is within the SLO, and each derived
    table's watermark while none of its hours is overdue. Missed hours become alerts.
    """

    @dg.sensor(
        name=keys.name("watermark"),
        minimum_interval_seconds=INTERVAL_S,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Measures event lag and overdue hours, and compares them with the SLOs.",
        tags=keys.tags,
    )
    def measure(cell: CellResource) -> dg.SensorResult:
        try:
            where = cell.load()
        except CellNotFoundError as error:
            return dg.SensorResult(skip_reason=str(error))
        events: list[dg.AssetObservation | dg.AssetMaterialization] = []
        problems: list[str] = []
        # One does not wait for the other: published hours are told of while no broker answers.
        for measured in (_lag, _tables):
            try:
                events += measured(where, keys)
            except HeadwaterError as error:
                problems.append(f"Not measured. {error}")
        return dg.SensorResult(asset_events=events, skip_reason=" ".join(problems) or None)

    return measure


def _lag(cell: Cell, keys: Keys) -> list[dg.AssetObservation | dg.AssetMaterialization]:
    limit = freshness_objective(keys.product)
    seen = measure_freshness(cell, keys.product)
    told: list[dg.AssetObservation | dg.AssetMaterialization] = [_observation(keys, seen)]
    if limit is not None and seen.lag <= limit:
        told.append(_materialization(keys, seen, limit))
    return told


def _tables(cell: Cell, keys: Keys) -> list[dg.AssetObservation | dg.AssetMaterialization]:
    seen = measure_latency(cell, keys.product)
    alert_missed(cell, keys.product, seen)
    return [_table_materialization(keys, one) for one in seen if not one.schedule.overdue]


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


def _table_materialization(keys: Keys, seen: Latency) -> dg.AssetMaterialization:
    found = seen.indicators
    return dg.AssetMaterialization(
        keys.table_watermark(seen.derived_table),
        metadata={
            "objective (s)": seen.schedule.objective.total_seconds(),
            "window (d)": found.window / timedelta(days=1),
            "hours due": found.due,
            "hours in time": found.in_time,
            "builds": found.builds,
            "builds that passed": found.passed,
            "looked at": dg.MetadataValue.timestamp(seen.schedule.now),
        },
    )
