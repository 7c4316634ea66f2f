"""The maintenance run: what the engine did, told as a materialization's metadata."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import dagster as dg

from assets.keys import WHY_TAG, Keys
from assets.steps.parent_run import parent_run
from pipeline.cells import Cell
from pipeline.errors import RetryableError
from pipeline.maintenance.execute import MaintenanceResult
from pipeline.maintenance.run import maintain_tables, plan_due_steps

_COUNTS = [field.name for field in fields(MaintenanceResult) if field.type == "int"]


def maintain_product(
    context: dg.AssetExecutionContext, cell: Cell, keys: Keys
) -> dg.MaterializeResult[None]:
    """Do what is due, or all there is to do where a person asked, and return what was done.

    What others were quicker at is left to the next run, with a warning.

    Raises: what `maintain` raises and calls terminal, after all else is done.
    """
    product = keys.product
    due = plan_due_steps(cell, product) if WHY_TAG in context.run.tags else None
    done: list[MaintenanceResult] = []
    try:
        run = context.run.run_id
        for one in maintain_tables(cell, product, due, run_id=run, parent=parent_run(context)):
            done.append(one)
            reasons = "; ".join(f"{step.step}: {step.reason}" for step in one.due)
            context.log.info(f"{one.table} is maintained. {reasons}".rstrip())
    except RetryableError as error:
        context.log.warning(f"Left to the next run. {error}")
    return dg.MaterializeResult(metadata=_metadata(done))


def _metadata(done: Sequence[MaintenanceResult]) -> dict[str, dg.TableMetadataValue | int]:
    totals = {name: sum(getattr(one, name) for one in done) for name in _COUNTS}
    records = [
        dg.TableRecord(
            {
                "table": one.table,
                "why": "; ".join(f"{step.step}: {step.reason}" for step in one.due),
                **{_words(name): getattr(one, name) for name in _COUNTS},
            }
        )
        for one in done
    ]
    columns = [
        dg.TableColumn("table"),
        dg.TableColumn("why"),
        *(dg.TableColumn(_words(name), "int") for name in _COUNTS),
    ]
    by_table = dg.MetadataValue.table(records, dg.TableSchema(columns))
    return {
        "tables": len(done),
        "hours deleted by retention": totals["hours_deleted"],
        "rows deleted by retention": totals["rows_deleted"],
        "small files rewritten": totals["files"],
        "files they became": totals["into"],
        "snapshots expired": totals["snapshots"],
        "snapshots left": totals["snapshots_left"],
        "files deleted": totals["deleted"] + totals["orphans"],
        "orphan files": totals["orphans"],
        "orphan files (bytes)": totals["orphan_bytes"],
        "rows before": totals["rows_before"],
        "rows after": totals["rows_after"],
        "data files before": totals["files_before"],
        "data files after": totals["files_after"],
        "data files before (bytes)": totals["bytes_before"],
        "data files after (bytes)": totals["bytes_after"],
        "by table": by_table,
    }


def _words(name: str) -> str:
    return name.replace("_", " ")
