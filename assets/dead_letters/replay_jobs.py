"""The jobs that try a replay of dead letters, and that do it."""

import dagster as dg

from assets.dead_letters.config import DryRunConfig, ReplayConfig
from assets.jobs import DEAD_LETTERS
from assets.keys import Keys
from resources.cell import CellResource


def dry_run_job(keys: Keys) -> dg.JobDefinition:
    """Return the job that tells what would become of dead letters, were they replayed. It changes nothing."""

    @dg.op(
        name=keys.name("dry_run"),
        description="Tries which of the selected dead letters would pass now, mended or as they are.",
        out=dg.Out(dg.Nothing),
    )
    def dry_run(context: dg.OpExecutionContext, cell: CellResource, config: DryRunConfig) -> None:
        from assets.steps.dead_letter_replay import dry_run_letters

        dry_run_letters(context, cell.load(), keys, config)

    @dg.job(
        name=keys.name("dead_letter_dry_run"),
        description=f"Tries a replay of dead letters of {keys.product.name} in cell {keys.cell}.",
        executor_def=dg.in_process_executor,
        tags=keys.run_tags(DEAD_LETTERS),
    )
    def dead_letter_dry_run() -> None:
        dry_run()

    return dead_letter_dry_run


def replay_job(keys: Keys) -> dg.JobDefinition:
    """Return the job that replays dead letters. In no pool: no hour waits for it."""

    @dg.op(
        name=keys.name("replay"),
        description="Sends the selected dead letters that would pass now back to their topic.",
        out=dg.Out(dg.Nothing),
    )
    def replay(context: dg.OpExecutionContext, cell: CellResource, config: ReplayConfig) -> None:
        from assets.steps.dead_letter_replay import replay_letters

        replay_letters(context, cell.load(), keys, config)

    @dg.job(
        name=keys.name("dead_letter_replay"),
        description=f"Replays dead letters of {keys.product.name} in cell {keys.cell}.",
        executor_def=dg.in_process_executor,
        tags=keys.run_tags(DEAD_LETTERS),
    )
    def dead_letter_replay() -> None:
        replay()

    return dead_letter_replay
