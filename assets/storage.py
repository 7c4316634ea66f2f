"""Keeping Dagster's own storage bounded: a job of each code location, on a schedule."""

import dagster as dg

from assets.jobs import MAINTENANCE
from assets.keys import CELL_TAG, KIND_TAG, MAINTENANCE_POOL

EVERY_SIX_HOURS = "40 */6 * * *"


def storage(cell_name: str) -> dg.Definitions:
    """Return the job that lets Dagster forget old runs and events of the cell, and its schedule."""

    @dg.op(
        name=f"{cell_name}__forget",
        description="Deletes the cell's old runs, and old events that no run logged, from Dagster.",
        pool=MAINTENANCE_POOL,
        out=dg.Out(dg.Nothing),
    )
    def forget(context: dg.OpExecutionContext) -> None:
        from assets.steps.storage import forget_old

        forgotten = forget_old(context.instance, cell_name, context.log)
        context.add_output_metadata(forgotten)

    @dg.job(
        name=f"{cell_name}__dagster_storage",
        description=f"Keeps what Dagster remembers of cell {cell_name} bounded.",
        executor_def=dg.in_process_executor,
        tags={CELL_TAG: cell_name, KIND_TAG: MAINTENANCE},
    )
    def dagster_storage() -> None:
        forget()

    schedule = dg.ScheduleDefinition(
        name=f"{cell_name}__dagster_storage",
        job=dagster_storage,
        cron_schedule=EVERY_SIX_HOURS,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Lets Dagster forget runs and events that are old.",
    )
    return dg.Definitions(jobs=[dagster_storage], schedules=[schedule])
