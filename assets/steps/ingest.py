"""The ingest run: the engine's digests, told as materializations and checks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import dagster as dg

from assets.keys import Keys
from assets.steps.ingest_results import (
    Told,
    dead_letters_materialized,
    events_materialized,
    ledger_evaluation,
    ledger_result,
)
from assets.steps.lineage_results import events_lineage_evaluation, events_lineage_result
from assets.steps.parent_run import parent_run
from pipeline.cells import Cell
from pipeline.ingest.limits import Limits
from pipeline.ingest.progress import ingest_with_progress
from pipeline.ingest.transform.held_back import describe_held_back
from pipeline.ledger.read import read_ledger
from pipeline.settings import load_settings
from pipeline.supervision.lifetime import lifetime
from pipeline.tables.catalog import load_table
from pipeline.tables.layout import dead_letters_table, events_table
from pipeline.tables.offsets import committed_offsets
from pipeline.tables.snapshots import SnapshotFacts, snapshot_facts
from quality.lineage.publish import find_page

Event = dg.AssetMaterialization | dg.AssetCheckEvaluation | dg.AssetCheckResult


def ingest_events(
    context: dg.AssetExecutionContext, cell: Cell, keys: Keys, code_version: str
) -> Iterator[Event]:
    """Ingest while the run lasts, yielding what to log at most once a minute, and the verdicts last.

    Raises: as `ingest`.
    """
    product = keys.product
    for progress in ingest_with_progress(
        cell,
        product,
        run_id=context.run_id,
        parent=parent_run(context),
        ended=lifetime(product.folder),
        limits=Limits(memory_mb=load_settings().ingest_memory_mb),
        on_retry=lambda error, pause: context.log.warning(f"{error} Again in {pause:.1f} s."),
        on_held_back=lambda waiting: context.log.warning(describe_held_back(waiting)),
    ):
        ledger = read_ledger(cell, product)
        made = _snapshots(cell, product.name, progress.snapshot_id)
        told = Told(code_version, find_page(cell, product.name))
        yield events_materialized(keys, progress, ledger, made.events, told)
        yield dead_letters_materialized(keys, progress, made.dead_letters, told)
        yield ledger_evaluation(keys, ledger)
        yield events_lineage_evaluation(keys, ledger)
    ledger = read_ledger(cell, product)
    yield ledger_result(keys, ledger)
    yield events_lineage_result(keys, ledger)


class _Made(NamedTuple):
    events: SnapshotFacts | None
    dead_letters: SnapshotFacts | None


def _snapshots(cell: Cell, product: str, of_events: int) -> _Made:
    """Return the last commit's snapshot of each table, as far as they are retained."""
    events = load_table(cell, events_table(product))
    dead_letters = load_table(cell, dead_letters_table(product))
    offsets = committed_offsets(dead_letters)
    return _Made(
        snapshot_facts(events, of_events),
        snapshot_facts(dead_letters, None if offsets is None else offsets.snapshot_id),
    )
