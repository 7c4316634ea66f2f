"""Taking a statement as DuckDB can run it, and telling which tables it reads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

import duckdb

from pipeline.query.errors import QueryInvalidError

SUBJECT = "SQL"
_OWN_SCHEMAS = {"information_schema", "pg_catalog", "system"}


@dataclass(frozen=True)
class TableName:
    """A table as a statement names it; the cell and the product may be left out.

    Attributes:
        perhaps: whether it may as well be one that the statement defines itself.
    """

    cell: str | None
    product: str | None
    table: str
    perhaps: bool = False

    def __str__(self) -> str:
        return ".".join(part for part in (self.cell, self.product, self.table) if part)


@dataclass(frozen=True)
class Statement:
    """One statement that only reads.

    Attributes:
        sql: in DuckDB's dialect.
        tables: those that it names, sorted.
    """

    sql: str
    tables: tuple[TableName, ...]


def read_statement(text: str) -> Statement:
    """Return the statement that `text` is.

    What DuckDB does not parse is tried with every name quoted: `offset` is a column of `table_changes`, and
    a reserved word.

    Raises:
        QueryInvalidError: it is no statement, several, or not one that only reads.
    """
    with duckdb.connect(":memory:") as parser:
        try:
            found = parser.extract_statements(text)
        except duckdb.Error as error:
            quoted = _quoted(text)
            if quoted is None:
                raise _invalid(error) from error
            try:
                found = parser.extract_statements(quoted)
            except duckdb.Error:
                raise _invalid(error) from error
        if len(found) != 1:
            raise QueryInvalidError(
                f"these are {len(found)} statements.",
                subject=SUBJECT,
                remedy="Give one SELECT at a time.",
            )
        (one,) = found
        if one.type is not duckdb.StatementType.SELECT:
            raise QueryInvalidError(
                f"it is a statement of kind {one.type.name}.",
                subject=SUBJECT,
                remedy="Tables are only read here: give a SELECT, or DESCRIBE and the name of a table.",
            )
        (said,) = parser.execute("SELECT json_serialize_sql(?)", [one.query]).fetchone() or ("{}",)
    tree = json.loads(said)
    own = set(_own_names(tree))
    tables = {
        replace(name, perhaps=name.product is None and name.table in own)
        for name in _tables(tree)
        if name.product not in _OWN_SCHEMAS
    }
    return Statement(one.query, tuple(sorted(tables, key=str)))


def _quoted(text: str) -> str | None:
    """Return `text` with every name quoted; None if sqlglot parses it no better."""
    # Most statements are spared what its import takes.
    import sqlglot
    from sqlglot.errors import SqlglotError

    try:
        statements = sqlglot.parse(text, dialect="duckdb")
    except SqlglotError:
        return None
    return ";".join(one.sql("duckdb", identify=True) for one in statements if one is not None)


def _tables(tree: object) -> Iterator[TableName]:
    """Yield the tables of a parsed statement, those that it defines itself too."""
    if isinstance(tree, list):
        for one in tree:
            yield from _tables(one)
    elif isinstance(tree, dict):
        if tree.get("type") == "BASE_TABLE":
            cell, product = tree["catalog_name"] or None, tree["schema_name"] or None
            yield TableName(cell, product, tree["table_name"])
        for one in tree.values():
            yield from _tables(one)


def _own_names(tree: object) -> Iterator[str]:
    """Yield the names that a parsed statement gives in a WITH."""
    if isinstance(tree, list):
        for one in tree:
            yield from _own_names(one)
    elif isinstance(tree, dict):
        for one in tree.get("cte_map", {}).get("map", ()):
            yield one["key"]
        for one in tree.values():
            yield from _own_names(one)


def _invalid(error: duckdb.Error) -> QueryInvalidError:
    said = str(error).strip().rstrip(".")
    return QueryInvalidError(
        f"DuckDB does not parse it ({said}).",
        subject=SUBJECT,
        remedy="Correct the statement; its dialect is DuckDB's.",
    )
