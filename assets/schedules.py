"""The hourly schedule: backs the sensors up."""

import dagster as dg

from assets.hour_runs import next_build
from assets.keys import Keys
from assets.runs import check_runs
from pipeline.batch.planning.select_hours import NEW, OUTDATED
from pipeline.cells import CellNotFoundError
from pipeline.errors import HeadwaterError
from pipeline.supervision.locks import batch_lock
from resources.cell import CellResource

MINUTE = 20


def hourly_schedule(keys: Keys, job_name: str) -> dg.ScheduleDefinition:
    """Return the schedule that asks once an hour what the sensors ask all the time.

    It launches only what they have left undone, and nothing while a build is under way.
    """

    @dg.schedule(
        name=keys.name("hourly"),
        job_name=job_name,
        cron_schedule=f"{MINUTE} * * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Builds hours that are due and that the sensors have left.",
        tags=keys.tags,
    )
    def backup(
        context: dg.ScheduleEvaluationContext, cell: CellResource
    ) -> dg.RunRequest | dg.SkipReason:
        try:
            where = cell.load()
            lock = batch_lock(where, keys.product.name)
            liveness = check_runs(context.instance, job_name, lock, None)
            if liveness.busy:
                return dg.SkipReason(liveness.reason)
            return next_build(context.instance, where, keys, job_name, NEW | OUTDATED, context.log)
        except CellNotFoundError as error:
            return dg.SkipReason(str(error))
        except HeadwaterError as error:
            return dg.SkipReason(f"Nothing is built. {error}")

    return backup
