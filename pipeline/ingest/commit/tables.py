"""The two tables that an ingest writes, kept as the contract has them."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
from pyiceberg.catalog import Catalog
from pyiceberg.table import Table
from pyiceberg.transforms import DayTransform, HourTransform

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.contract.targets import iceberg
from pipeline.evolution.apply import EvolutionRefusedError, apply_changes
from pipeline.evolution.former_names import former_names
from pipeline.evolution.model import Action, Step, Verdict
from pipeline.evolution.plan import TablePlan, plan_columns, plan_partition
from pipeline.ingest.model import LoadedTables
from pipeline.tables import layout
from pipeline.tables.catalog import find_table, open_catalog
from pipeline.tables.commit_retry import retry_commit
from pipeline.tables.create import Partition, fresh_schema, load_or_create
from pipeline.tables.data_files.past_names import PastNames
from pipeline.tables.errors import named_errors

EVENTS_PARTITION: Partition = ("_event_time", HourTransform(), layout.EVENT_HOUR)
DEAD_LETTERS_PARTITION: Partition = ("_ingested_at", DayTransform(), "ingested_day")


class IngestTables:
    """A product's events and dead letters in one cell. Reference data is read once, when this is made."""

    def __init__(self, cell: Cell, product: Product) -> None:
        """Look at the contract and its reference data.

        Raises:
            ReferenceDataError: reference data cannot be read.
        """
        self._cell = cell
        self._subject = f"{product.name}/{cell.name}"
        self._events = _EvolvingTable(
            layout.events_table(product.name),
            iceberg.events_schema(product),
            former_names(product.payload_schema),
            EVENTS_PARTITION,
        )
        self._dead_letters = _EvolvingTable(
            layout.dead_letters_table(product.name),
            layout.DEAD_LETTER_SCHEMA,
            {},
            DEAD_LETTERS_PARTITION,
        )

    def load(self) -> LoadedTables:
        """Return (events, dead letters), created where absent, with every safe change carried out.

        Idempotent, and safe when several processes do it at once. Nothing is changed where something is
        refused.

        Raises:
            EvolutionRefusedError: a table cannot follow the contract.
            CatalogLostError: the catalog does not know tables that lie in the warehouse; none is created.
            CatalogUnavailableError, WarehouseUnavailableError, TableBusyError: try again later.
        """
        with named_errors(self._subject):
            catalog = open_catalog(self._cell)
            both = (self._events, self._dead_letters)
            tables = [one.open(catalog) for one in both]
            refused = [
                step
                for one, table in zip(both, tables, strict=True)
                for step in one.plan(table).refused
            ]
            if refused:
                raise EvolutionRefusedError(self._subject, refused)
            events, dead_letters = (
                one.follow(catalog, table, self._subject)
                for one, table in zip(both, tables, strict=True)
            )
        return LoadedTables(events, dead_letters)

    def steps(self) -> tuple[Step, ...]:
        """Return what `load` would do, and what it would refuse. Changes nothing.

        Raises:
            CatalogUnavailableError, WarehouseUnavailableError: try again later.
        """
        with named_errors(self._subject):
            catalog = open_catalog(self._cell)
            return (*self._events.steps(catalog), *self._dead_letters.steps(catalog))


def ensure_tables(cell: Cell, product: Product) -> LoadedTables:
    """Return the product's (events, dead letters), as `IngestTables.load` does.

    Raises: as `IngestTables` and its `load`.
    """
    return IngestTables(cell, product).load()


class _EvolvingTable:
    """One table and what its contract wants. What was planned for one state of it is remembered."""

    def __init__(
        self,
        identifier: str,
        columns: pa.Schema,
        former: Mapping[tuple[str, ...], tuple[str, ...]],
        partition: Partition,
    ) -> None:
        self._identifier = identifier
        self._columns = columns
        self._wanted = fresh_schema(columns).as_struct()
        self._former = former
        self._partition = partition
        self._planned: tuple[tuple[object, ...], TablePlan] | None = None

    def open(self, catalog: Catalog) -> Table:
        return load_or_create(catalog, self._identifier, self._columns, self._partition)

    def plan(self, table: Table) -> TablePlan:
        metadata = table.metadata
        state = (metadata.table_uuid, metadata.current_schema_id, metadata.default_spec_id)
        if self._planned is None or self._planned[0] != state:
            columns = plan_columns(
                self._identifier,
                self._wanted,
                self._former,
                table.schema().as_struct(),
                PastNames(table.metadata.schemas),
            )
            spec = plan_partition(self._identifier, table.spec(), table.schema(), self._partition)
            self._planned = state, TablePlan((*spec, *columns.changes))
        return self._planned[1]

    def follow(self, catalog: Catalog, table: Table, subject: str) -> Table:
        """Return the table with all that is due carried out."""
        if not self.plan(table).due:
            return table

        def attempt() -> Table:
            now = catalog.load_table(self._identifier)
            planned = self.plan(now)
            if planned.refused:
                raise EvolutionRefusedError(subject, planned.refused)
            if planned.due:
                apply_changes(now, planned.due)
                now = catalog.load_table(self._identifier)
            return now

        return retry_commit(attempt, subject)

    def steps(self, catalog: Catalog) -> tuple[Step, ...]:
        table = find_table(catalog, self._identifier)
        if table is None:
            detail = f"{len(self._columns)} columns"
            return (Step(self._identifier, Action.CREATE_TABLE, "", detail, Verdict.SAFE),)
        return self.plan(table).steps
