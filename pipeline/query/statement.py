"""Taking a statement as DuckDB can run it, and telling which tables it reads."""

from __future__ import annotations

import re
from dataclasses import dataclass

import duckdb

from pipeline.query.errors import QueryInvalidError

SUBJECT = "SQL"
_PART = re.compile(r'"(?:[^"]|"")*"|[^."\s]+')
_NAME = re.compile(rf"(?:{_PART.pattern})(?:\.(?:{_PART.pattern}))*")
_OWN_SCHEMAS = {"information_schema", "pg_catalog", "system"}


@dataclass(frozen=True)
class TableName:
    """A table as a statement names it; the cell and the product may be left out."""

    cell: str | None
    product: str | None
    table: str

    def __str__(self) -> str:
        return ".".join(part for part in (self.cell, self.product, self.table) if part)


@dataclass(frozen=True)
class Statement:
    """One statement that only reads.

    Attributes:
        sql: in DuckDB's dialect.
        tables: those that it reads and does not define itself, sorted.
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
        names = parser.get_table_names(one.query, qualified=True)
    tables = {name for name in map(_table_name, names) if name.product not in _OWN_SCHEMAS}
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


def _table_name(listed: str) -> TableName:
    """Parse a name as DuckDB lists it, with an alias after it or none."""
    match = _NAME.match(listed)
    parts = _PART.findall(match[0]) if match else []
    if not 1 <= len(parts) <= 3:
        raise TypeError(f"{listed} names no table")
    found = [one[1:-1].replace('""', '"') if one.startswith('"') else one for one in parts]
    above: list[str | None] = [None] * (3 - len(found))
    cell, product = (above + list(found[:-1]))[:2]
    return TableName(cell, product, found[-1])


def _invalid(error: duckdb.Error) -> QueryInvalidError:
    said = str(error).strip().rstrip(".")
    return QueryInvalidError(
        f"DuckDB does not parse it ({said}).",
        subject=SUBJECT,
        remedy="Correct the statement; its dialect is DuckDB's.",
    )
