"""Types of what a statement gives, as far as they are certain, against what its contract says."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp
from sqlglot.dialects.spark import Spark
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types

from pipeline.contract.checks.sql.qualified import qualified, view_schema
from pipeline.contract.checks.sql.views import View

_KINDS: Mapping[str, frozenset[exp.DType]] = {
    "string": frozenset(exp.DataType.TEXT_TYPES),
    "number": frozenset(exp.DataType.NUMERIC_TYPES),
    "boolean": frozenset({exp.DType.BOOLEAN}),
    "time": frozenset(exp.DataType.TEMPORAL_TYPES),
    "array": frozenset({exp.DType.ARRAY, exp.DType.LIST}),
    "object": frozenset({exp.DType.STRUCT, exp.DType.MAP, exp.DType.OBJECT}),
}
_LOGICAL = {
    "integer": "number",
    "date": "time",
    "timestamp": "time",
    "map": "object",
    "vector": "array",
}
"""ODCS logical types that are no kinds of their own here."""


def wrong_types(
    query: exp.Query, views: Mapping[str, View], stated: Mapping[str, str]
) -> dict[str, str]:
    """Return columns whose type is certainly not the `stated` logical type, with what it is.

    Kinds are compared, as text and number are two: an integer may be stated where a number comes.
    """
    if query.find(exp.UDTF, exp.Explode, exp.Posexplode, exp.Inline) is not None:
        # Rows made of a value: their columns are taken for the value's own type.
        return {}
    schema = view_schema(views)
    whole = qualified(query, schema, expand_aliases=True)
    if whole is None:
        return {}
    try:
        typed = annotate_types(whole, schema=schema, dialect=Spark)
    except (SqlglotError, RecursionError):
        # It tells nothing then; what is wrong with names is found without it.
        return {}
    wrong = {}
    for one in typed.selects:
        name, found = one.alias_or_name.lower(), _kind(one.type)
        wanted = stated.get(name, "")
        wanted = _LOGICAL.get(wanted, wanted)
        cast = any(_kind(each.type) == "string" for each in one.find_all(exp.Sum, exp.Avg))
        if found and wanted in _KINDS and wanted != found and not cast:
            wrong[name] = one.type.sql(dialect=Spark).lower() if one.type else found
    return wrong


def _kind(type_: exp.DataType | None) -> str:
    this = type_.this if type_ is not None else None
    return next((kind for kind, types in _KINDS.items() if this in types), "")
