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
from pipeline.contract.source.texts import read_utf8

_QUOTED = re.compile(
    r"--[^\n]*|/\*(?!\+).*?\*/|'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|`[^`]*`", re.DOTALL
)
_TEMPLATE = re.compile(r"\{\{|\{%|\$\{")
_AFTER_COMMA = frozenset(
    [
        TokenType.FROM,
        TokenType.WHERE,
        TokenType.GROUP_BY,
        TokenType.HAVING,
        TokenType.ORDER_BY,
        TokenType.UNION,
        TokenType.R_PAREN,
    ]
)
"""What ends a list, so that no comma comes before it."""


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

    @property
    def bare(self) -> str:
        """The text with blanks for what stands in quotes and comments."""
        return _QUOTED.sub(lambda found: " " * len(found[0]), self.text)

    @property
    def start(self) -> int:
        """Where the statement begins, behind comments."""
        return len(self.bare) - len(self.bare.lstrip())

    def mistake(self, node: exp.Expr, expected: str) -> Mistake:
        """Return a mistake at a part of the statement: at the first of its words that has a place."""
        part: exp.Expr | None = node
        while part is not None:
            starts = [one.meta["start"] for one in part.walk() if "start" in one.meta]
            if starts:
                return self.mistake_at(min(starts), expected)
            part = part.parent
        return self.mistake_at(self.start, expected)

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
    text = read_utf8(file)
    unread = Statement(file, text, exp.Select())
    if (template := _TEMPLATE.search(unread.bare)) is not None:
        expected = f"SQL without templates; here is {template[0]!r}"
        raise StatementError(unread.mistake_at(template.start(), expected))
    try:
        tokens = Spark().tokenize(text)
        statements = [one for one in parse(text, dialect=Spark) if one is not None]
    except ParseError as error:
        raise StatementError(_not_sql(file, error)) from None
    except SqlglotError:
        left = re.search("['\"`]|/\\*", unread.bare)
        place = left.start() if left else unread.start
        raise StatementError(unread.mistake_at(place, "SQL; this quote has no end")) from None
    except RecursionError:
        raise StatementError(Mistake(file, 1, "", "SQL nested less deep")) from None
    for token, after in pairwise(tokens):
        if token.token_type is TokenType.COMMA and after.token_type in _AFTER_COMMA:
            raise StatementError(unread.mistake_at(token.start, "no comma after the last"))
    if len(statements) == 1 and isinstance(statements[0], exp.Query):
        return Statement(file, text, statements[0])
    if len(statements) > 1:
        second = text.find(";", unread.start) + 1
        second += len(unread.bare[second:]) - len(unread.bare[second:].lstrip())
        expected = f"one SELECT, not {len(statements)} statements"
        raise StatementError(unread.mistake_at(second, expected))
    found = f"not {statements[0].key.upper()}" if statements else "and there is none"
    place = unread.start if statements else 0
    raise StatementError(unread.mistake_at(place, f"one SELECT, {found}"))


def _not_sql(file: Path, error: ParseError) -> Mistake:
    first = error.errors[0] if error.errors else {}
    said = str(first.get("description") or "it is not understood").rstrip(".")
    near = str(first.get("highlight") or "").strip()
    if said.startswith("Invalid expression") and near:
        said = f"no {near!r} here: what stands before it is misspelt, or lacks a comma"
        near = ""
    what = f"SQL of Spark's; {said[:1].lower()}{said[1:]}{f' at {near!r}' if near else ''}"
    line, end = first.get("line") or 1, first.get("col") or 0
    column = max(1, end - len(str(first.get("highlight") or "").strip()) + 1) if end else 0
    return Mistake(file, line, "", what, column)


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
