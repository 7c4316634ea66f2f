"""Events logged many at a time: SQLite's event log, whose batches are batches, and a step's materializations.

Open-source Dagster gives its events of planned partitions to the storage in batches of
`DAGSTER_EVENT_BATCH_SIZE`, which its SQLite stores one by one, each in two transactions on connections of
their own: 14 ms an event, of which a year of hours of two tables has 35,000.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

from dagster._core.events import (
    ASSET_CHECK_EVENTS,
    ASSET_EVENTS,
    DagsterEvent,
    DagsterEventBatchMetadata,
)
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable

if TYPE_CHECKING:
    from dagster import AssetExecutionContext, AssetMaterialization
    from dagster._core.events.log import EventLogEntry
    from dagster._serdes import ConfigurableClassData


class BatchedSqliteEventLogStorage(SqliteEventLogStorage):
    """Dagster's SQLite event log, with batches stored in one transaction of each file they belong to."""

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> Self:
        """Return the storage that dagster.yaml asks for: of this class, where Dagster names its own."""
        return cls(inst_data=inst_data, **config_value)

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store events of one run: its own file has them all or none, and so has the file of all runs.

        An error leaves the run's file with the events and the other without, as one by one.
        """
        rows = [self._event_to_row(event) for event in events]
        with self.run_connection(events[0].run_id) as connection:
            connection.execute(SqlEventLogStorageTable.insert(), rows)
        shared = [
            (event, row)
            for event, row in zip(events, rows, strict=True)
            if event.dagster_event_type in ASSET_EVENTS | ASSET_CHECK_EVENTS
        ]
        if not shared:
            return
        numbered: list[tuple[EventLogEntry, int]] = []
        insert = SqlEventLogStorageTable.insert()
        with self.index_transaction() as connection:
            for event, row in shared:
                numbered.append((event, connection.execute(insert, row).lastrowid))
            of_assets = [one for one in numbered if one[0].dagster_event_type in ASSET_EVENTS]
            self._store_asset_event_tags(connection, *_apart(of_assets))
            # An asset's row keeps the last event of each kind alone.
            last = {(_key(event), event.dagster_event_type): (event, n) for event, n in of_assets}
            for event, number in last.values():
                self._store_asset_event(connection, event, number)
        for event, number in numbered:
            if event.dagster_event_type in ASSET_CHECK_EVENTS:
                self.store_asset_check_event(event, number)


def log_materializations(
    context: AssetExecutionContext, materializations: Sequence[AssetMaterialization]
) -> None:
    """Log what a step would otherwise yield one by one, in batches of `DAGSTER_EVENT_BATCH_SIZE` at most.

    Without that variable they are stored one by one. What the run returns has them too, from the step's next
    result on. What is public, `context.log_event`, has no batches.
    """
    step, batch = context.get_step_execution_context(), str(uuid4())
    logged = context.op_execution_context._events  # noqa: SLF001 - as `log_event` does
    for number, materialization in enumerate(materializations, 1):
        ends = DagsterEventBatchMetadata(batch, is_end=number == len(materializations))
        logged.append(DagsterEvent.asset_materialization(step, materialization, ends))


def _apart(numbered: Sequence[tuple[EventLogEntry, int]]) -> tuple[list[EventLogEntry], list[int]]:
    return [event for event, _ in numbered], [number for _, number in numbered]


def _key(event: EventLogEntry) -> str:
    key = event.get_dagster_event().asset_key
    return key.to_string() if key else ""
