"""Queries of expectations that ask of each row by itself whether it breaks a rule. Pure functions of text."""

from __future__ import annotations

from sqlglot import exp, parse
from sqlglot.dialects.spark import Spark
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import TokenType

_ROWS = "batch"


def condition_of(query: str) -> str | None:
    """Return the condition, in SQL, of the rows that `query` gives; None if it may be more than a condition.

    It is one where `query` is `SELECT * FROM {batch} WHERE ...` without a query inside: then so many rows are
    given as meet the condition, whatever the others are.
    """
    text = query.replace(f"{{{_ROWS}}}", _ROWS)
    if "{" in text or "}" in text:
        return None
    try:
        tokens = Spark().tokenize(text)
        (statement,) = parse(text, dialect=Spark)
    except (SqlglotError, RecursionError, ValueError):
        return None
    begins = [token for token in tokens if token.token_type == TokenType.WHERE]
    if not isinstance(statement, exp.Select) or len(begins) != 1 or not _is_of_rows(statement):
        return None
    last = next(token for token in reversed(tokens) if token.token_type != TokenType.SEMICOLON)
    return text[begins[0].end + 1 : last.end + 1]


def _is_of_rows(statement: exp.Select) -> bool:
    given = {name: value for name, value in statement.args.items() if value}
    source = given.get("from_")
    rows = source.this if isinstance(source, exp.From) else None
    return (
        set(given) == {"expressions", "from_", "where"}
        and list(given["expressions"]) == [exp.Star()]
        and isinstance(rows, exp.Table)
        and rows == exp.to_table(_ROWS)
        and len(list(statement.find_all(exp.Query))) == 1
        and statement.find(exp.Window) is None
        and not any(column.table for column in statement.find_all(exp.Column))
    )
