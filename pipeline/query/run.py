"""Asking a cell's tables a question in SQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb
import pyarrow as pa
from pyiceberg.catalog import Catalog

from pipeline.cells import Cell
from pipeline.config.nearest import meant
from pipeline.errors import HeadwaterError
from pipeline.query.database import lock, open_database
from pipeline.query.errors import QueryInvalidError, TableUnknownError
from pipeline.query.statement import SUBJECT, TableName, read_statement
from pipeline.query.views import (
    TABLE_CHANGES,
    TABLE_HISTORY,
    create_cell_view,
    create_history_views,
    create_table_view,
)
from pipeline.table_changes.kept import read_changes
from pipeline.tables.catalog import find_table, open_catalog
from pipeline.tables.errors import WarehouseUnavailableError, named_errors

HISTORIES = (TABLE_CHANGES, TABLE_HISTORY)


def list_tables(catalog: Catalog) -> Mapping[str, tuple[str, ...]]:
    """Return the tables of each product in a catalog, both sorted, with the views of their history."""
    return {
        product: tuple(sorted({*(name for _, name in catalog.list_tables(product)), *HISTORIES}))
        for (product,) in sorted(catalog.list_namespaces())
    }


@dataclass(frozen=True)
class Answer:
    """What a statement gives, batch by batch: it can be gone through once."""

    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]


@contextmanager
def run_query(cell: Cell, text: str) -> Iterator[Answer]:
    """Yield the answer to a statement; it ends with the block.

    Tables are as their main was when they were loaded, each on its own: NOT one moment for all. Nothing
    can be written, and no file outside the warehouse be read. Moments are in UTC.

    Raises, here or as batches are taken:
        QueryInvalidError: the statement cannot be run.
        TableUnknownError: it reads a table that is not there, or one of several.
        CatalogUnavailableError, WarehouseUnavailableError: try again later.
    """
    statement = read_statement(text)
    with open_database(cell) as connection:
        with _named(), named_errors(f"cell {cell.name}"):
            _create_views(connection, cell, statement.tables)
        lock(connection)
        with _named():
            reader = connection.sql(statement.sql).to_arrow_reader()
        yield Answer(reader.schema, _batches(reader))


def _batches(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    with _named():
        yield from reader


def _create_views(
    connection: duckdb.DuckDBPyConnection, cell: Cell, names: tuple[TableName, ...]
) -> None:
    catalog = open_catalog(cell)
    known = list_tables(catalog)
    wanted = [(name, _products(cell, known, name)) for name in names]
    for product in sorted(
        {one for name, found in wanted if name.table in HISTORIES for one in found}
    ):
        create_history_views(connection, product, read_changes(catalog, product))
    for product, table in sorted(
        {
            (one, name.table)
            for name, found in wanted
            if name.table not in HISTORIES
            for one in found
        }
    ):
        loaded = find_table(catalog, f"{product}.{table}")
        if loaded is not None:
            create_table_view(connection, product, loaded)
    for name, found in wanted:
        if name.product is None and found:
            create_cell_view(connection, name.table, found)


def _products(cell: Cell, known: Mapping[str, tuple[str, ...]], name: TableName) -> tuple[str, ...]:
    """Return the products whose table is meant: all of them by the name of a view of their history."""
    if name.cell not in (None, cell.name):
        raise _unknown(f"it is asked for in {name.cell}, and this is cell {cell.name}.", name, [])
    if name.product is not None:
        if name.table in known.get(name.product, ()):
            return (name.product,)
        every = [f"{product}.{table}" for product, tables in known.items() for table in tables]
        raise _unknown("there is no such table.", name, every)
    found = tuple(product for product, tables in known.items() if name.table in tables)
    if not found and name.perhaps:
        return ()
    if not found:
        raise _unknown("there is no such table.", name, [t for ts in known.values() for t in ts])
    if len(found) > 1 and name.table not in HISTORIES:
        if name.perhaps:
            return ()
        raise TableUnknownError(
            f"several products have a table of that name: {', '.join(found)}.",
            subject=f"table {name}",
            remedy=f"Name the product, too: {found[0]}.{name.table}.",
        )
    return found


def _unknown(what: str, name: TableName, known: list[str]) -> TableUnknownError:
    return TableUnknownError(
        what,
        subject=f"table {name}",
        remedy=f"{meant(str(name), known)}`headwater sql --tables` lists what there is.",
    )


@contextmanager
def _named() -> Iterator[None]:
    try:
        yield
    except HeadwaterError:
        raise
    except duckdb.InterruptException as error:
        raise KeyboardInterrupt from error
    # What fails after the first batch comes through Arrow, which has one kind of error for it.
    except (duckdb.Error, OSError) as error:
        said = str(error).strip().rstrip(".")
        if said.startswith(("IO Error", "HTTP Error")):
            raise WarehouseUnavailableError(
                f"a file could not be read ({said}).",
                subject=SUBJECT,
                remedy="Where a snapshot expired while it was read, ask again; else see that the "
                "warehouse is reachable, and its files whole.",
            ) from error
        raise QueryInvalidError(
            f"DuckDB does not run it ({said}).",
            subject=SUBJECT,
            remedy="Correct the statement; its dialect is DuckDB's.",
        ) from error
