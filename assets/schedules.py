"""The schedules: hours that sensors have left, and the review of dead letters."""

import dagster as dg

from assets.hour_runs import next_build
from assets.keys import Keys
from assets.runs import check_runs
from pipeline.batch.planning.select_hours import NEW, OUTDATED
from pipeline.cells import CellNotFoundError
from pipeline.errors import HeadwaterError
from pipeline.supervision.locks import batch_lock
from pipeline.tables.catalog import find_table, open_catalog
from pipeline.tables.layout import dead_letters_table
from resources.cell import CellResource

MINUTE = 20
REVIEW_MINUTE = 50


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


def review_schedule(keys: Keys, job_name: str) -> dg.ScheduleDefinition:
    """Return the schedule that reviews dead letters once an hour, where a product was ever ingested."""

    @dg.schedule(
        name=keys.name("dead_letter_review"),
        job_name=job_name,
        cron_schedule=f"{REVIEW_MINUTE} * * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Reviews dead letters, and holds the open ones to the contract.",
        tags=keys.tags,
    )
    def review(cell: CellResource) -> dg.RunRequest | dg.SkipReason:
        try:
            where = cell.load()
            if find_table(open_catalog(where), dead_letters_table(keys.product.name)) is None:
                return dg.SkipReason("Nothing was ingested yet.")
        except HeadwaterError as error:
            return dg.SkipReason(f"Nothing is reviewed. {error}")
        return dg.RunRequest()

    return review
