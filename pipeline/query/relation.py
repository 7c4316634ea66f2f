"""One Iceberg table as DuckDB is to read it: planned by PyIceberg, scanned by DuckDB."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pyiceberg.schema import Schema
from pyiceberg.table import Table

from pipeline.query.types import duckdb_type, identifier, text

_LOCAL = "file://"
_PATTERN = set("*?[{")


@dataclass(frozen=True)
class ScannedFiles:
    """What DuckDB scans by itself.

    Attributes:
        sql: a SELECT of the table's columns, by field ids, so that files written under former columns are
            read as Iceberg reads them.
    """

    sql: str


def scanned_files(table: Table) -> ScannedFiles | None:
    """Return how DuckDB scans main's current snapshot; None where only PyIceberg reads it as Iceberg does.

    That is so where files hide rows, where nested columns have changed, where a type is none of DuckDB's,
    or where a path would be taken for a pattern. Reads the snapshot's manifests.
    """
    schema = table.schema()
    columns = {
        field.field_id: (field.name, duckdb_type(field.field_type)) for field in schema.fields
    }
    if any(named is None for _, named in columns.values()) or _has_nested_changes(table):
        return None
    paths = []
    for task in table.scan().plan_files():
        if task.delete_files or _PATTERN & set(task.file.file_path):
            return None
        paths.append(task.file.file_path.removeprefix(_LOCAL))
    if not paths:
        nothing = (f"NULL::{named} AS {identifier(name)}" for name, named in columns.values())
        return ScannedFiles(f"SELECT {', '.join(nothing)} WHERE false")
    fields = ", ".join(
        f"{number}: {{name: {text(name)}, type: {text(named or '')}, default_value: NULL}}"
        for number, (name, named) in columns.items()
    )
    files = ", ".join(map(text, paths))
    return ScannedFiles(
        f"SELECT {_named(schema)} FROM read_parquet([{files}], schema = MAP {{{fields}}}, "
        "hive_partitioning = false)"
    )


def _named(schema: Schema) -> str:
    return ", ".join(identifier(field.name) for field in schema.fields)


def _has_nested_changes(table: Table) -> bool:
    """Tell whether a column that is nested now was another in a former schema."""
    now = {one.field_id: one.field_type for one in table.schema().fields}
    former: Iterable[Schema] = table.metadata.schemas
    return any(
        not now[one.field_id].is_primitive and one.field_type != now[one.field_id]
        for schema in former
        for one in schema.fields
        if one.field_id in now
    )
