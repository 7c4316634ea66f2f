"""Column schemas and what columns are made from, as Dagster shows them."""

from __future__ import annotations

from collections.abc import Iterable

import dagster as dg
import pyarrow as pa

from assets.keys import Keys
from pipeline.contract.lineage.sources import SourceColumn, Sources
from pipeline.contract.lineage.trace import trace_origins
from pipeline.contract.model import Column


def table_schema(schema: pa.Schema, columns: tuple[Column, ...]) -> dg.TableSchema:
    """Return `schema` with what the contract says of its columns."""
    known = {column.name: column for column in columns}
    return dg.TableSchema(
        [
            _column(field.name, str(field.type), known.get(field.name), nullable=field.nullable)
            for field in schema
        ]
    )


def contract_schema(columns: tuple[Column, ...]) -> dg.TableSchema:
    """Return what the contract says of columns whose types only the table knows."""
    return dg.TableSchema([_column(c.name, "", c, nullable=True) for c in columns])


def column_lineage(keys: Keys, sources: Sources) -> dg.TableColumnLineage:
    """Return which columns of which assets each column is made from."""
    return dg.TableColumnLineage(
        {
            column: [
                dg.TableColumnDep(asset_key=keys.source(source.table), column_name=source.column)
                for source in made_from
            ]
            for column, made_from in sources.items()
        }
    )


def column_origins(keys: Keys, table: str, sources: Sources) -> dg.TableMetadataValue:
    """Return what each column is made from, and what that comes from in the topic and reference data.

    Dagster's open-source UI shows no column lineage; it shows this.
    """
    ends = trace_origins(keys.product, table)
    return dg.MetadataValue.table(
        [
            dg.TableRecord(
                {"column": column, "made from": _named(made), "comes from": _named(ends[column])}
            )
            for column, made in sources.items()
        ],
        dg.TableSchema([dg.TableColumn(name) for name in ("column", "made from", "comes from")]),
    )


def _named(columns: Iterable[SourceColumn]) -> str:
    return ", ".join(f"{one.table}.{one.column}" for one in columns)


def _column(name: str, type_: str, column: Column | None, *, nullable: bool) -> dg.TableColumn:
    tags = {}
    if column is not None:
        if column.classification:
            tags["classification"] = column.classification
        tags.update(dict.fromkeys(column.tags, ""))
    return dg.TableColumn(
        name,
        type=type_,
        description=column.description if column else None,
        constraints=dg.TableColumnConstraints(nullable=nullable),
        tags=tags,
    )
