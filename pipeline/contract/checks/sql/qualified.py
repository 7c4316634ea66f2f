"""Statements with each column under its table's name, `*` written out: what sqlglot makes of them."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
from sqlglot import exp
from sqlglot.dialects.spark import Spark
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify
from sqlglot.schema import MappingSchema

from pipeline.contract.checks.sql.views import View


def view_schema(views: Mapping[str, View]) -> MappingSchema:
    """Return views as sqlglot knows tables; a type that is not plain or not known is UNKNOWN."""
    return MappingSchema(
        {
            name: {column: _sql(type_) for column, type_ in view.columns.items()}
            for name, view in views.items()
        },
        dialect=Spark,
    )


def qualified(query: exp.Query, schema: MappingSchema, *, expand_aliases: bool) -> exp.Query | None:
    """Return a copy of `query` with its columns qualified; None where sqlglot cannot.

    Columns whose table is not certain stay as they are. With `expand_aliases` names that a SELECT gives are
    replaced by what they stand for, even where Spark would take a column of that name for it.
    """
    try:
        whole = qualify(
            query.copy(),
            schema=schema,
            dialect=Spark,
            validate_qualify_columns=False,
            quote_identifiers=False,
            expand_alias_refs=expand_aliases,
        )
    except (SqlglotError, RecursionError):
        # Nothing is told then; what is wrong with names is found without it.
        return None
    return whole if isinstance(whole, exp.Query) else None


def _sql(type_: pa.DataType | None) -> str:
    """Return a type as Spark writes it; UNKNOWN where it is not a plain one."""
    if type_ is None:
        return "UNKNOWN"
    for check, name in _NAMED:
        if check(type_):
            return name
    return f"DECIMAL({type_.precision},{type_.scale})" if pa.types.is_decimal(type_) else "UNKNOWN"


_NAMED = (
    (pa.types.is_boolean, "BOOLEAN"),
    (pa.types.is_int64, "BIGINT"),
    (pa.types.is_integer, "INT"),
    (pa.types.is_float32, "FLOAT"),
    (pa.types.is_float64, "DOUBLE"),
    (pa.types.is_date, "DATE"),
    (pa.types.is_timestamp, "TIMESTAMP"),
    (lambda type_: pa.types.is_string(type_) or pa.types.is_large_string(type_), "STRING"),
    (lambda type_: pa.types.is_binary(type_) or pa.types.is_large_binary(type_), "BINARY"),
)
