"""Sensors that launch the hourly build: for hours that have closed, and for hours that are outdated."""

from collections.abc import Collection

import dagster as dg

from assets.hour_runs import next_build
from assets.keys import Keys
from assets.sensors.one_run import ask_for_run
from pipeline.batch.planning.select_hours import NEW, OUTDATED
from pipeline.batch.planning.staleness import BuildReason
from pipeline.cells import Cell
from pipeline.errors import HeadwaterError
from pipeline.supervision.locks import batch_lock
from resources.cell import CellResource

CLOSED_INTERVAL_S = 10
"""Somebody waits for an hour that has closed; an hour that is built again is there already."""
LATE_INTERVAL_S = 30


def hour_closed(keys: Keys, job_name: str) -> dg.SensorDefinition:
    """Return the sensor that builds every hour that is closed and was never published."""
    about = "Builds each hour once every record that it waits for is in the table."
    return _sensor(keys, job_name, "hour_closed", NEW, about, CLOSED_INTERVAL_S)


def late_data(keys: Keys, job_name: str) -> dg.SensorDefinition:
    """Return the sensor that builds published hours again, once late rows or other inputs are in.

    When late rows are worth a build, the contract's `late` says. Hours that depend on such an hour
    follow where its rows have changed, and only there.
    """
    about = (
        "Builds published hours again that late rows have reached, and those that depend on them."
    )
    return _sensor(keys, job_name, "late_data", OUTDATED, about, LATE_INTERVAL_S)


def _sensor(
    keys: Keys,
    job_name: str,
    part: str,
    reasons: Collection[BuildReason],
    about: str,
    interval_s: int,
) -> dg.SensorDefinition:
    """Return a sensor that asks for hours due for one of `reasons`, one run at a time for each product.

    A run covers adjoining hours, so that a backlog costs one Spark session and not one an hour.
    Nothing is built while the ledger does not balance. Runs whose process is gone are reported as
    failed, as `keep_alive` does.
    """

    @dg.sensor(
        name=keys.name(part),
        job_name=job_name,
        minimum_interval_seconds=interval_s,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=about,
        tags=keys.tags,
    )
    def sense(context: dg.SensorEvaluationContext, cell: CellResource) -> dg.SensorResult:
        def next_run(where: Cell) -> dg.RunRequest | dg.SkipReason:
            try:
                return next_build(context.instance, where, keys, job_name, reasons, context.log)
            except HeadwaterError as error:
                return dg.SkipReason(f"Nothing is built. {error}")

        return ask_for_run(
            context, cell, job_name, lambda where: batch_lock(where, keys.product.name), next_run
        )

    return sense
