"""Queries of expectations as statements that are understood. A pure function."""

from __future__ import annotations

from sqlglot import exp, parse
from sqlglot.dialects.spark import Spark
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from pipeline.batch.sql.known import NotRangedError

RESERVED = "__audit_"
"""How names begin that no query of a contract has, if it is written anew."""

_LEFT_OUT = {TokenType.ALIAS, TokenType.INNER, TokenType.OUTER, TokenType.NOT, TokenType.SEMICOLON}
_NAMES = {TokenType.VAR, TokenType.IDENTIFIER, TokenType.STRING, TokenType.NUMBER}


def statement_of(text: str, batch: str) -> exp.Select:
    """Return a query that reads `batch` where `text` says `{batch}`.

    Written anew, it is word for word what `text` says: a parser that took it for something else would change
    what runs. Only NOT may come before what it denies, and words that mean nothing may lack.

    Raises:
        NotRangedError: it is not one SELECT, or it is not certain how it is written anew.
    """
    query = text.replace("{batch}", batch)
    if RESERVED in text.lower() or "{" in query or "}" in query:
        raise NotRangedError("it has parameters, or names that an audit uses")
    try:
        statements = [one for one in parse(query, dialect=Spark) if one is not None]
        anew = ";".join(one.sql(dialect=Spark) for one in statements)
        words, words_anew = (Spark().tokenize(one) for one in (query, anew))
    except (SqlglotError, RecursionError, ValueError):
        raise NotRangedError("it is not SQL that is understood") from None
    if len(statements) != 1 or not isinstance(statements[0], exp.Select):
        raise NotRangedError("it is not one SELECT")
    if _said(words) != _said(words_anew) or _denials(words) != _denials(words_anew):
        raise NotRangedError("it has words that would be others if they were written anew")
    return statements[0]


def _said(tokens: list[Token]) -> list[tuple[TokenType, str]]:
    return [
        (token.token_type, _text(token)) for token in tokens if token.token_type not in _LEFT_OUT
    ]


def _text(token: Token) -> str:
    if token.token_type not in _NAMES:
        return ""
    return token.text if token.token_type is TokenType.STRING else token.text.lower()


def _denials(tokens: list[Token]) -> int:
    return sum(token.token_type is TokenType.NOT for token in tokens)
