"""Planning a recovery: which metadata file of each table is the one that the catalog had. Pure.

docs/adr/0026 says what this rests on, and what it cannot know.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipeline.recovery.model import FoundMetadata, FoundTable, RecoveryAction, RecoveryStep
from pipeline.tables.layout import events_table, ledger_table


def plan_recovery(tables: Iterable[FoundTable]) -> tuple[RecoveryStep, ...]:
    """Return what is to be done about each of `tables`, all that lie in the warehouse of their products.

    Chosen is the highest version that can be read whole; of several the one with the fewest ingested
    offsets, then the latest: what it lacks is read again from Kafka, where one too many would be doubled.
    Refused where files of two tables lie in one folder, where they say that the table lies elsewhere, where
    none can be read, and where the ledger has entries of later commits than are to be found.
    """
    every = tuple(tables)
    steps = {table.identifier: _plan(table) for table in every}
    archived = {table.identifier: _archived(table, steps[table.identifier]) for table in every}
    return tuple(_behind(table, steps[table.identifier], archived) for table in every)


def _plan(table: FoundTable) -> RecoveryStep:
    if table.registered is not None:
        version = next((f.version for f in table.files if f.location == table.registered), None)
        return RecoveryStep(
            table.identifier, RecoveryAction.KEEP, table.registered, version, "the catalog has it"
        )
    usable = [file for file in table.files if file.problem is None]
    if not usable:
        return _refuse(
            table,
            f"no metadata file can be used: {table.files[-1].location}: {table.files[-1].problem}",
        )
    # A file of version 0 has no rows: one that was made beside it holds nothing to choose.
    uuids = {file.table_uuid for file in usable if file.version}
    if len(uuids) > 1:
        return _refuse(
            table,
            f"metadata of {len(uuids)} tables lie in {table.location}, one made anew after the other: "
            "move away the metadata files of all but one",
        )
    if elsewhere := {one.table_location for one in usable} - {table.location}:
        return _refuse(table, f"its metadata say that it lies at {', '.join(sorted(elsewhere))}")
    return _choose(table, usable)


def _choose(table: FoundTable, usable: Sequence[FoundMetadata]) -> RecoveryStep:
    highest = max(file.version for file in usable)
    rivals = [file for file in usable if file.version == highest]
    # What another was made from was the catalog's, whatever that other is worth.
    landed = {file.base for file in table.files}
    chosen = min(
        rivals,
        key=lambda file: (
            file.location not in landed,
            file.offsets,
            -file.sequence_number,
            -file.updated_ms,
            file.location,
        ),
    )
    said = ["the newest version"]
    if len(rivals) > 1:
        said.append(
            f"of {len(rivals)} files that have it the one with the fewest offsets, then the latest"
        )
    said += [
        f"version {file.version} is passed over: {file.problem}"
        for file in table.files
        if file.problem is not None and file.version >= highest
    ]
    return RecoveryStep(
        table.identifier, RecoveryAction.REGISTER, chosen.location, highest, "; ".join(said)
    )


def _archived(table: FoundTable, step: RecoveryStep) -> int:
    return next((f.archived_through for f in table.files if f.location == step.metadata), 0)


def _behind(table: FoundTable, step: RecoveryStep, archived: dict[str, int]) -> RecoveryStep:
    """Return a refusal in place of `step` if it would register events older than their ledger."""
    product = table.identifier.partition(".")[0]
    if step.action is not RecoveryAction.REGISTER or table.identifier != events_table(product):
        return step
    chosen = next(file for file in table.files if file.location == step.metadata)
    through = archived.get(ledger_table(product), 0)
    if chosen.sequence_number >= through:
        return step
    return _refuse(
        table,
        f"the newest that can be read is commit {chosen.sequence_number}, and the ledger has entries up "
        f"to commit {through}: restore the metadata files after {chosen.location}",
    )


def _refuse(table: FoundTable, reason: str) -> RecoveryStep:
    return RecoveryStep(table.identifier, RecoveryAction.REFUSE, None, None, reason)
