"""The statement of a SQL file, and where its parts stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from sqlglot import exp, parse
from sqlglot.dialects.spark import Spark
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.tokenizer_core import TokenType

from pipeline.contract.source.mistakes import Mistake

_PLACE = re.compile(r"(\d+):(\d+)")


class StatementError(Exception):
    """The file is not one statement that gives rows; carries the one mistake."""

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(str(mistake))
        self.mistake = mistake


@dataclass(frozen=True)
class Statement:
    """One SELECT, with or without CTEs and set operations.

    Attributes:
        file: where it was read from.
        text: the whole of the file.
        query: what it says.
    """

    file: Path
    text: str
    query: exp.Query

    def mistake(self, node: exp.Expr, expected: str) -> Mistake:
        """Return a mistake at a part of the statement: at the first of its words that has a place."""
        starts = (one.meta.get("start") for one in node.walk())
        return self.mistake_at(min((one for one in starts if one is not None), default=0), expected)

    def mistake_at(self, start: int, expected: str) -> Mistake:
        """Return a mistake at the character `start`, counted from 0."""
        before = self.text[:start]
        line, column = before.count("\n") + 1, start - (before.rfind("\n") + 1) + 1
        return Mistake(self.file, line, "", expected, column)


def read_statement(file: Path) -> Statement:
    """Read the statement in `file`.

    Raises:
        StatementError: it is not SQL of Spark's, or not one statement that gives rows.
        OSError, UnicodeDecodeError: the file cannot be read.
    """
    text = file.read_text(encoding="utf-8")
    try:
        statements = [one for one in parse(text, dialect=Spark) if one is not None]
    except ParseError as error:
        raise StatementError(_not_sql(file, error)) from None
    except SqlglotError as error:
        found = _PLACE.search(str(error))
        line = int(found[1]) if found else 1
        raise StatementError(Mistake(file, line, "", "SQL; a quote has no end")) from None
    except RecursionError:
        raise StatementError(Mistake(file, 1, "", "SQL nested less deep")) from None
    first = statements[0] if len(statements) == 1 else None
    if isinstance(first, exp.Query):
        return Statement(file, text, first)
    other = next((one for one in statements if not isinstance(one, exp.Query)), None)
    found_text = other.key.upper() if other is not None else f"{len(statements)} statements"
    raise StatementError(Mistake(file, 1, "", f"one SELECT, not {found_text}"))


def _not_sql(file: Path, error: ParseError) -> Mistake:
    first = error.errors[0] if error.errors else {}
    said = str(first.get("description") or "it is not understood").rstrip(".")
    near = str(first.get("highlight") or "").strip()
    what = f"SQL of Spark's; {said[:1].lower()}{said[1:]}{f' at {near!r}' if near else ''}"
    line, end = first.get("line") or 1, first.get("col") or 0
    return Mistake(file, line, "", what, max(1, end - len(near) + 1) if end else 0)


def functions_called(statement: Statement) -> Iterator[tuple[str, int]]:
    """Yield the name of each function that the statement calls, in small letters, and where it stands."""
    tokens = Spark().tokenize(statement.text)
    named = {
        alias.name.lower()
        for alias in statement.query.find_all(exp.TableAlias)
        if alias.args.get("columns")
    }
    in_hint = False
    for token, after in pairwise(tokens):
        if token.token_type is TokenType.HINT:
            in_hint = True
        elif token.token_type is TokenType.R_PAREN and after.token_type is not TokenType.COMMA:
            in_hint = False
        is_call = token.token_type is TokenType.VAR and after.token_type is TokenType.L_PAREN
        if is_call and not in_hint and token.text.lower() not in named:
            yield token.text.lower(), token.start
